/* Samples: arrays whose axis 0 counts them, or pictures, from files, folders and globs. */
#include "job.h"
#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SAMPLES ((size_t)10000000)

struct list { /* of pictures while they are found */
	inn_job *job;
	struct inn__samples *s;
	size_t cap;
	bool in_list;
};

static void note_key(struct inn__samples *s, const char *path)
{
	struct stat st;

	for (const char *p = path; *p; p++)
		s->key = (s->key ^ (unsigned char)*p) * 0x100000001b3u;
	if (!stat(path, &st)) {
		s->key = (s->key ^ (uint64_t)st.st_size) * 0x9e3779b97f4a7c15u;
		s->key = (s->key ^ (uint64_t)st.st_mtim.tv_sec ^ (uint64_t)st.st_mtim.tv_nsec << 20) * 0x9e3779b97f4a7c15u;
	}
}

static bool is_picture(const inn_job *job, const struct inn_format_ops *f)
{
	for (size_t i = 0; i < job->def.pictures.n; i++)
		if (!strcmp(job->def.pictures.v[i], f->cls.name))
			return true;
	return false;
}

static int add_picture(struct list *l, const char *path, const struct inn_format_ops *f)
{
	struct inn__samples *s = l->s;
	inn_ctx *ctx = l->job->ctx;

	if (s->array)
		return inn_fail(ctx, INN_EDATA, NULL, "%s: arrays and pictures cannot be mixed", path);
	if (!s->pre || !s->pre->n)
		return inn_fail(ctx, INN_ECONFIG, NULL, "%s is a picture: say how the network wants it, with -p NAME (or `preprocess: NAME` in "
				"the configuration); configs/%s has those that are known", path, l->job->def.preprocess);
	if (s->n >= MAX_SAMPLES)
		return inn_fail(ctx, INN_ELIMIT, NULL, "more than %zu pictures", MAX_SAMPLES);
	if (s->n == l->cap) {
		size_t cap = l->cap * 2 + 16;
		const char **p = inn_alloc(ctx, cap, sizeof(*p));
		struct inn_inst *q = inn_alloc(ctx, cap, sizeof(*q));

		if (!p || !q)
			return INN_ENOMEM;
		if (s->n) {
			memcpy(p, s->path, s->n * sizeof(*p));
			memcpy(q, s->format, s->n * sizeof(*q));
		}
		s->path = p;
		s->format = q;
		l->cap = cap;
	}
	if (!(s->path[s->n] = inn_strdup(ctx, path)))
		return INN_ENOMEM;
	if (s->n && s->format[s->n - 1].cls == &f->cls)
		s->format[s->n] = s->format[s->n - 1];
	else if (inn__bind_name(ctx, l->job->finder, INN_FORMAT, f->cls.name, &s->format[s->n]) < 0)
		return inn__last_status(ctx);
	note_key(s, path);
	s->n++;
	return INN_OK;
}

static int put_array(struct list *l, const inn_graph *g, uint32_t at, const char *path, struct inn_tensor *t)
{
	struct inn__samples *s = l->s;
	inn_ctx *ctx = l->job->ctx;
	int status = INN_OK;

	if (s->path)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s: arrays and pictures cannot be mixed", path);
	if (status == INN_OK && !s->array) {
		s->n_x = inn__graph_inputs(g);
		s->own = true;
		if (!(s->array = calloc(s->n_x + 1u, sizeof(*s->array))))
			status = inn_nomem(ctx);
	}
	if (status == INN_OK && at >= s->n_x)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s: the network has %u input%s", path, s->n_x, s->n_x == 1 ? "" : "s");
	if (status == INN_OK && s->array[at].data)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s: input %s is given twice", path, inn__graph_input(g, at)->name);
	if (status < 0) {
		inn_tensor_free(t);
		return status;
	}
	s->array[at] = *t;
	return INN_OK;
}

static uint32_t port_named(const inn_graph *g, const char *name, size_t n)
{
	for (uint32_t i = 0; i < inn__graph_inputs(g); i++)
		if (strlen(inn__graph_input(g, i)->name) == n && !memcmp(inn__graph_input(g, i)->name, name, n))
			return i;
	return UINT32_MAX;
}

static int read_named(struct list *l, const inn_graph *g, const char *path, struct inn_stream *f, const struct inn_format_ops *ops,
		      const void *opts, uint32_t at)
{
	struct inn_named *v = NULL;
	uint32_t n = 0;
	int status = ops->read_named(l->job->ctx, f, opts, &v, &n);

	if (status < 0)
		return status;
	bool single = n == 1 && (at != UINT32_MAX || inn__graph_inputs(g) == 1);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = single ? (at == UINT32_MAX ? 0 : at) : port_named(g, v[i].name, strlen(v[i].name));

		if (status < 0 || k == UINT32_MAX)
			inn_tensor_free(&v[i].t);
		else
			status = put_array(l, g, k, path, &v[i].t);
	}
	return status;
}

static int add_file(struct list *l, const inn_graph *g, const char *path, uint32_t at);

/* The files that a list names. */
static int add_list(struct list *l, const inn_graph *g, const char *path, struct inn_stream *f, const struct inn_format_ops *ops,
		    const void *opts)
{
	inn_ctx *ctx = l->job->ctx;
	struct inn_listed *v;
	size_t n;
	const char *slash = strrchr(path, '/');

	if (l->in_list)
		return inn_fail(ctx, INN_EDATA, NULL, "%s: a list of lists", path);
	int status = ops->read_list(ctx, f, opts, &v, &n);

	if (status == INN_OK && !n)
		status = inn_fail(ctx, INN_EDATA, NULL, "%s names no files", path);
	l->in_list = true;
	for (size_t i = 0; status == INN_OK && i < n; i++) {
		const char *file = v[i].path;

		if (slash && file[0] != '/')
			file = inn_printf(ctx, "%.*s/%s", (int)(slash - path), path, file);
		status = file ? add_file(l, g, file, UINT32_MAX) : INN_ENOMEM;
	}
	l->in_list = false;
	return status < 0 ? inn_while(ctx, status, NULL, "in the list %s", path) : status;
}

static int add_file(struct list *l, const inn_graph *g, const char *path, uint32_t at)
{
	inn_ctx *ctx = l->job->ctx;
	struct inn_stream f;
	struct inn_inst inst;
	struct inn_tensor t = { 0 };
	const struct inn_format_ops *ops;
	int status = inn__file_map(ctx, path, INN_EDATA, &f);

	if (status < 0)
		return status;
	if (!(ops = inn__format_of(l->job, path, &f))) {
		status = inn__last_status(ctx);
	} else if (is_picture(l->job, ops)) {
		status = add_picture(l, path, ops);
	} else if (ops->read_list) {
		if ((status = inn__bind_name(ctx, l->job->finder, INN_FORMAT, ops->cls.name, &inst)) == INN_OK)
			status = add_list(l, g, path, &f, ops, inst.opts);
	} else if ((status = inn__bind_name(ctx, l->job->finder, INN_FORMAT, ops->cls.name, &inst)) == INN_OK) {
		note_key(l->s, path);
		if (ops->read_named)
			status = read_named(l, g, path, &f, ops, inst.opts, at);
		else if (!ops->read_tensor)
			status = inn_fail(ctx, INN_EDATA, NULL, "%s: files of format %s hold no samples", path, ops->cls.name);
		else if ((status = ops->read_tensor(ctx, &f, inst.opts, &t)) == INN_OK) {
			uint32_t next = 0;

			while (at == UINT32_MAX && l->s->array && next < l->s->n_x && l->s->array[next].data)
				next++;
			status = put_array(l, g, at == UINT32_MAX ? next : at, path, &t);
		}
	}
	return inn__file_close(ctx, &f, status);
}

static int add_folder(struct list *l, const inn_graph *g, const char *path)
{
	struct dirent **e = NULL;
	int n = scandir(path, &e, NULL, alphasort), status = INN_OK;
	size_t before = l->s->n;

	if (n < 0)
		return inn_fail(l->job->ctx, INN_EDATA, NULL, "cannot read folder %s", path);
	for (int i = 0; i < n; i++) {
		char *file = NULL;
		struct stat st;

		if (status == INN_OK && e[i]->d_name[0] != '.') {
			if (asprintf(&file, "%s/%s", path, e[i]->d_name) < 0) {
				file = NULL;
				status = inn_nomem(l->job->ctx);
			} else if (!stat(file, &st) && S_ISREG(st.st_mode)) {
				status = add_file(l, g, file, UINT32_MAX);
			}
		}
		free(file);
		free(e[i]);
	}
	free(e);
	if (status == INN_OK && l->s->n == before && !l->s->array)
		status = inn_fail(l->job->ctx, INN_EDATA, NULL, "folder %s has no files", path);
	return status;
}

static int add_input(struct list *l, const inn_graph *g, const char *path, uint32_t at)
{
	struct stat st;
	glob_t found;
	int status = INN_OK;

	if (!stat(path, &st))
		return S_ISDIR(st.st_mode) ? add_folder(l, g, path) : add_file(l, g, path, at);
	if (!strpbrk(path, "*?["))
		return add_file(l, g, path, at); /* says why it cannot be opened */
	if (glob(path, 0, NULL, &found))
		return inn_fail(l->job->ctx, INN_EDATA, NULL, "nothing matches %s", path);
	for (size_t i = 0; status == INN_OK && i < found.gl_pathc; i++)
		status = add_file(l, g, found.gl_pathv[i], at);
	globfree(&found);
	return status;
}

/* Bytes [n,H,W] or [n,H,W,C] are pictures where preprocessing is asked for. */
static void see_stack(struct inn__samples *s)
{
	struct inn_tensor *t = s->array;

	if (!t || s->n_x != 1 || !t->data || t->dtype != INN_U8 || !s->pre || !s->pre->n || t->shape.rank < 3 || t->shape.rank > 4)
		return;
	if (t->shape.rank == 3)
		t->shape.dim[t->shape.rank++] = 1;
	s->stack = t->shape.dim[0] && (t->shape.dim[3] == 1 || t->shape.dim[3] == 3);
}

int inn__samples_open(inn_job *job, const char *const *input, size_t n, const struct inn__pre *pre, const inn_graph *g,
		      struct inn__samples *s)
{
	struct list l = { .job = job, .s = s };
	int status = INN_OK;

	*s = (struct inn__samples){ .job = job, .pre = pre, .key = 0xcbf29ce484222325u };
	for (size_t i = 0; status == INN_OK && i < n; i++) {
		const char *path = input[i], *eq = path;
		uint32_t at = UINT32_MAX;

		while (at == UINT32_MAX && (eq = strchr(eq, '='))) {
			at = port_named(g, path, (size_t)(eq - path));
			eq++;
		}
		s->declared |= at != UINT32_MAX;
		status = add_input(&l, g, at == UINT32_MAX ? path : eq, at);
	}
	if (status == INN_OK && s->path)
		s->n_x = 1;
	if (status == INN_OK)
		see_stack(s);
	return status;
}

static int fit_one(struct inn__samples *s, const struct inn__port *p, struct inn_tensor *t)
{
	char got[INN_SHAPE_STR], want[INN_SHAPE_STR];
	inn_ctx *ctx = s->job->ctx;
	bool ok = t->data && t->shape.rank == p->shape.rank && t->shape.rank && t->shape.dim[0];
	struct inn_shape w = p->shape;
	size_t bad;

	if (!t->data)
		return inn_fail(ctx, INN_EDATA, NULL, "input %s is not given", p->name);
	for (uint32_t d = 1; ok && d < w.rank; d++)
		ok = t->shape.dim[d] == w.dim[d];
	if (!ok)
		return inn_fail(ctx, INN_EDATA, NULL, "input %s has shape %s; the network takes %s with any number of samples as axis 0", p->name,
				inn_shape_str(&t->shape, got), inn_shape_str(&w, want));
	if (t->shape.dim[0] != s->array[0].shape.dim[0])
		return inn_fail(ctx, INN_EDATA, NULL, "input %s has %u samples, the first input has %u", p->name, t->shape.dim[0],
				s->array[0].shape.dim[0]);
	if ((bad = inn_tensor_nonfinite(t)) != SIZE_MAX) {
		size_t count = 1;

		inn_shape_count(&t->shape, &count);
		return inn_fail(ctx, INN_ENONFINITE, NULL, "input %s: sample %zu is not finite at element %zu", p->name,
				bad / (count / t->shape.dim[0]), bad % (count / t->shape.dim[0]));
	}
	return INN_OK;
}

int inn__samples_fit(struct inn__samples *s, const inn_graph *g)
{
	int status = INN_OK;

	if (s->path && inn__graph_inputs(g) != 1)
		return inn_fail(s->job->ctx, INN_EDATA, NULL, "the network has %u inputs; pictures can be given for one only", inn__graph_inputs(g));
	if (s->path)
		return INN_OK;
	if (!s->array)
		return inn_fail(s->job->ctx, INN_EDATA, NULL, "no samples are given");
	if (s->stack) {
		s->n = s->array[0].shape.dim[0];
		return INN_OK;
	}
	if (s->n_x != inn__graph_inputs(g))
		return inn_fail(s->job->ctx, INN_EDATA, NULL, "%u inputs are given, the network has %u", s->n_x, inn__graph_inputs(g));
	for (uint32_t i = 0; status == INN_OK && i < s->n_x; i++)
		status = fit_one(s, inn__graph_input(g, i), &s->array[i]);
	s->n = status == INN_OK ? s->array[0].shape.dim[0] : 0;
	return status;
}

/* Gives the network's inputs, not resolved yet, exactly the shapes of the arrays; some become its constants. */
static int bind_inputs(struct inn__samples *s, inn_graph *g)
{
	inn_ctx *ctx = s->job->ctx;
	uint32_t kept = 0;

	if (!s->array)
		return inn_fail(ctx, INN_EDATA, NULL, "pictures cannot be given by an input's name");
	for (uint32_t i = 0; i < s->n_x; i++) {
		struct inn_tensor t = s->array[i];
		bool fixed = false;
		int status = t.data ? inn__graph_take(g, kept, &t, &fixed) :
			     inn_fail(ctx, INN_EDATA, NULL, "input %s is not given", inn__graph_input(g, kept)->name);

		if (status == INN_OK && fixed)
			status = inn__ctx_own(ctx, t.data, free);
		if (status < 0)
			return status;
		s->array[i].data = NULL;
		if (!fixed)
			s->array[kept++] = t;
	}
	s->n_x = kept;
	s->n = 1;
	return INN_OK;
}

void inn__samples_first(struct inn__samples *s, int64_t n)
{
	if (n > 0 && (uint64_t)n < s->n)
		s->n = (size_t)n;
}

int inn__samples_for(struct inn_model *m, bool plain, const char *const *input, size_t n, const struct inn__pre *pre, struct inn__samples *s)
{
	inn_graph *g = inn__model_read(m, plain);
	int status = g ? inn__samples_open(m->job, input, n, pre, g, s) : inn__last_status(m->job->ctx);
	bool whole = plain && s->declared;

	if (status == INN_OK && whole)
		status = bind_inputs(s, g);
	for (uint32_t i = 0; status == INN_OK && !whole && !m->settled[plain] && s->array && i < s->n_x; i++)
		inn__graph_size(g, i, &s->array[i].shape);
	if (status == INN_OK && !(g = inn__model_graph(m, plain)))
		status = inn__last_status(m->job->ctx);
	return status < 0 || whole ? status : inn__samples_fit(s, g);
}

void inn__samples_free(struct inn__samples *s)
{
	for (uint32_t i = 0; s->own && s->array && i < s->n_x; i++)
		inn_tensor_free(&s->array[i]);
	free(s->array);
	s->array = NULL;
}

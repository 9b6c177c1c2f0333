#include "cli.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256, JSON, QUIET, VERBOSE, THREADS, PLUGIN_DIR, FORCE, HELP, LABELS, DUMP, AUDIT, OUTPUTS, SHARD, MERGE, CHECKPOINT, PROFILE, FLOOR, LIMITS };

const struct option_row option_rows[] = {
	{ 'm', "model", "FILE", "the network", "analyze predict fit plan check" },
	{ 'i', "input", "PATH", "array, picture, folder or glob; NAME=PATH for one input of several", "analyze predict fit plan check" },
	{ 'a', "analyzer", "NAME", "a name or a YAML flow mapping, '{type: NAME, key: value}'", "analyze fit plan check" },
	{ 't', "target", "WHICH", "max (default), all, all-separately, an index, a list, or @FILE", "analyze plan check" },
	{ 'p', "preprocess", "NAME", "how pictures are prepared, from configs/preprocess", "analyze predict fit plan check" },
	{ 'b', "backend", "NAME", "what computes: auto (default), a name or a YAML flow mapping", NULL },
	{ BATCH, "batch", "N", "samples at a time", "analyze predict fit plan check" },
	{ 'o', "output", "FILE", "where the result goes; the suffix says how", "analyze predict fit" },
	{ OUTPUTS, "outputs", "LAYER", "write the relevance at this layer too: a name or a glob; may be repeated", "analyze" },
	{ AUDIT, "audit", "[LIMIT]", "say where relevance stays; an error where a layer keeps more than LIMIT of it (0.01)", "analyze" },
	{ SHARD, "shard", "K/N", "only the K-th of N parts of the data; writes its sums, to be merged", "fit" },
	{ MERGE, "merge", NULL, "make a state of the sums of all shards, whatever order they are given in", "fit" },
	{ CHECKPOINT, "checkpoint", "SECONDS", "how often a fit is saved, to go on after a crash (60); 0: never", "fit" },
	{ 'k', "top", "N", "classes to print (5)", "predict" },
	{ LABELS, "labels", "FILE", "class names, one a line", "predict" },
	{ 's', "set", "KEY=VALUE", "overlay one key of the configuration, as in analyzers.0.epsilon=0.1", "run check plan" },
	{ FORCE, "force", NULL, "write over the results of another run", "run" },
	{ DUMP, "dump", NULL, "print every operation of the plan", "plan" },
	{ PROFILE, "profile", NULL, "run it and say where the time goes, for the input given or for noise", "plan" },
	{ FLOOR, "floor", "FILE", "put the times of tests/bench/floor beside the profile", "plan" },
	{ JSON, "json", NULL, "results as JSON", NULL },
	{ QUIET, "quiet", NULL, "errors only", NULL },
	{ VERBOSE, "verbose", NULL, "say more", NULL },
	{ LIMITS, "limits", "MAPPING", "what a file may cost, '{nodes: 1000}': docs/reliability.md", NULL },
	{ THREADS, "threads", "N", "threads of the backend", NULL },
	{ PLUGIN_DIR, "plugin-dir", "DIR", "look for plugins here first", NULL },
	{ HELP, "help", NULL, "say what the command does", NULL },
	{ 0 },
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

static int number(const char *option, const char *s, int64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoll(s, &end, 10);
	if (!errno && *s && !*end && *v > 0 && *v <= 1000000)
		return INN_OK;
	fprintf(stderr, "error: --%s: %s is no positive number\n", option, s);
	return INN_ECONFIG;
}

static int real(const char *option, const char *s, const char *what, double *v)
{
	char *end;

	*v = strtod(s, &end);
	if (*s && !*end && *v >= 0 && *v <= 1e6)
		return INN_OK;
	fprintf(stderr, "error: --%s: %s is no %s\n", option, s, what);
	return INN_ECONFIG;
}

static int too_many(const char *option)
{
	fprintf(stderr, "error: --%s is given too often\n", option);
	return INN_ECONFIG;
}

static int take(struct cli *c, const struct option_row *o, const char *v)
{
	struct inn__request *r = &c->request;

	switch (o->key) {
	case 'm': r->model = v; break;
	case 'a': r->analyzer = v; break;
	case 't': r->target = v; break;
	case 'p': r->preprocess = v; break;
	case 'b': c->backend = v; break;
	case 'o': r->output = v; break;
	case LABELS: r->labels = v; break;
	case 'i':
		if (r->n_input == sizeof(c->input) / sizeof(*c->input))
			return too_many(o->name);
		c->input[r->n_input++] = v;
		break;
	case 's':
		if (c->n_set == sizeof(c->set) / sizeof(*c->set))
			return too_many(o->name);
		c->set[c->n_set++] = v;
		break;
	case PLUGIN_DIR:
		if (c->n_plugin_dir == sizeof(c->plugin_dir) / sizeof(*c->plugin_dir))
			return too_many(o->name);
		c->plugin_dir[c->n_plugin_dir++] = v;
		break;
	case OUTPUTS:
		if (r->n_layer == sizeof(c->layer) / sizeof(*c->layer))
			return too_many(o->name);
		c->layer[r->n_layer++] = v;
		break;
	case AUDIT:
		r->audit = true;
		return v ? real(o->name, v, "share; 0.01 is one", &r->audit_limit) : INN_OK;
	case SHARD: r->shard = v; break;
	case MERGE: c->merge = true; break;
	case CHECKPOINT: return real(o->name, v, "number of seconds", &r->checkpoint);
	case BATCH: return number(o->name, v, &r->batch);
	case 'k': return number(o->name, v, &r->top);
	case THREADS: return number(o->name, v, &c->threads);
	case JSON: c->json = r->json = true; break;
	case LIMITS: c->limits = v; break;
	case QUIET: c->quiet = true; break;
	case VERBOSE: c->verbose = true; break;
	case FORCE: c->force = r->force = true; break;
	case DUMP: c->show.dump = true; break;
	case PROFILE: c->show.profile = true; break;
	case FLOOR: c->show.floor = v; break;
	case HELP: c->help = true; break;
	}
	return INN_OK;
}

static const struct option_row *row_of(int key)
{
	for (const struct option_row *o = option_rows; o->key; o++)
		if (o->key == key)
			return o;
	return NULL;
}

static void tables(struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (const struct option_row *o = option_rows; o->key; o++) {
		*longs++ = (struct option){ o->name, !o->value ? no_argument : o->value[0] == '[' ? optional_argument : required_argument, NULL, o->key };
		if (o->key < 256) {
			*shorts++ = (char)o->key;
			if (o->value)
				*shorts++ = ':';
		}
	}
	*shorts++ = 'h';
	*shorts = 0;
	*longs = (struct option){ 0 };
}

static int complain(const struct command *cmd, int key, char **argv)
{
	if (key == ':')
		fprintf(stderr, "error: %s needs a value", argv[optind - 1]);
	else if (optopt && optopt < 256)
		fprintf(stderr, "error: unknown option -%c", optopt);
	else
		fprintf(stderr, "error: unknown option %s", argv[optind - 1]);
	fprintf(stderr, "; `innvestigate %s --help` lists those there are\n", cmd->name);
	return INN_ECONFIG;
}

int options_parse(struct cli *c, const struct command *cmd, int argc, char **argv)
{
	struct option longs[32];
	char shorts[80];
	int key, operands = 0;

	tables(longs, shorts);
	opterr = 0;
	c->request.input = c->input;
	c->request.checkpoint = 60;
	c->request.layer = c->layer;
	c->request.audit_limit = NAN;
	while ((key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *o = row_of(key == 'h' ? HELP : key);

		if (!o)
			return complain(cmd, key, argv);
		if (o->commands && !has_word(o->commands, cmd->name)) {
			fprintf(stderr, "error: --%s is no option of %s; `innvestigate %s --help` lists those there are\n", o->name, cmd->name,
				cmd->name);
			return INN_ECONFIG;
		}
		if (take(c, o, optarg) < 0)
			return INN_ECONFIG;
	}
	for (; optind < argc; optind++) {
		if (operands++ >= cmd->max_operands) {
			fprintf(stderr, "error: %s: what is %s for?; `innvestigate %s --help`\n", cmd->name, argv[optind], cmd->name);
			return INN_ECONFIG;
		}
		if (c->n_file == sizeof(c->file) / sizeof(*c->file))
			return too_many("merge");
		c->file[c->n_file++] = c->operand = argv[optind];
	}
	return INN_OK;
}

void command_help(const struct command *cmd, FILE *out)
{
	fprintf(out, "innvestigate %s %s\n\n%s.\n", cmd->name, cmd->operands, cmd->brief);
	if (cmd->doc)
		fprintf(out, "%s\n", cmd->doc);
	fprintf(out, "\nOptions:\n");
	for (const struct option_row *o = option_rows; o->key; o++) {
		char text[48];

		if (o->commands && !has_word(o->commands, cmd->name))
			continue;
		bool optional = o->value && o->value[0] == '[';

		snprintf(text, sizeof(text), "--%s%s%s", o->name, optional ? "[=" : o->value ? " " : "", o->value ? o->value + optional : "");
		if (o->key < 256)
			fprintf(out, "  -%c, %-22s %s\n", o->key, text, o->help);
		else
			fprintf(out, "      %-22s %s\n", text, o->help);
	}
}

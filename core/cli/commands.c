#include "cli.h"
#include <string.h>

static int missing(const char *command, const char *what)
{
	fprintf(stderr, "error: %s needs %s; `innvestigate %s --help` says more\n", command, what, command);
	return INN_ECONFIG;
}

static struct inn__config config_of(struct cli *c)
{
	return (struct inn__config){
		.path = c->operand, .set = c->set, .n_set = c->n_set, .json = c->json, .force = c->force, .show = c->show,
	};
}

static int run(struct cli *c)
{
	struct inn__config config = config_of(c);

	return c->operand ? inn__config_run(c->job, &config, stdout) : missing("run", "a configuration file");
}

static int analyze(struct cli *c)
{
	const struct inn__request *r = &c->request;

	if (!r->model || !r->n_input || !r->analyzer || !r->output)
		return missing("analyze", !r->model ? "-m MODEL" : !r->n_input ? "-i INPUT" : !r->analyzer ? "-a ANALYZER" : "-o OUTPUT");
	return inn__request_analyze(c->job, r, stdout);
}

static int predict(struct cli *c)
{
	if (!c->request.model || !c->request.n_input)
		return missing("predict", c->request.model ? "-i INPUT" : "-m MODEL");
	return inn__request_predict(c->job, &c->request, stdout);
}

static int fit(struct cli *c)
{
	struct inn__request *r = &c->request;

	if (!r->output)
		return missing("fit", "-o STATE.npz");
	if (c->merge) {
		r->file = c->file;
		r->n_file = c->n_file;
		return c->n_file ? inn__request_merge(c->job, r, stdout) : missing("fit --merge", "files of sums");
	}
	if (!r->model || !r->n_input || !r->analyzer || c->n_file)
		return missing("fit", c->n_file ? "--merge before files of sums" : !r->model ? "-m MODEL" : !r->n_input ? "-i DATA" : "-a ANALYZER");
	return inn__request_fit(c->job, r, stdout);
}

static int list(struct cli *c) { return inn__list(c->job, c->operand, c->json, stdout); }

static int help(struct cli *c)
{
	const struct command *cmd = c->operand ? command_find(c->operand) : NULL;

	if (c->operand && !cmd)
		return inn__help(c->job, c->operand, stdout);
	if (cmd)
		command_help(cmd, stdout);
	else
		usage(stdout);
	return INN_OK;
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && !strcmp(s + n - k, with);
}

static int check(struct cli *c)
{
	struct inn__config config = config_of(c);

	if (c->operand)
		return ends(c->operand, ".so") ? inn__plugin_check(c->job, c->operand, stdout) : inn__config_check(c->job, &config, stdout);
	return c->request.model ? inn__request_check(c->job, &c->request, stdout) : missing("check", "a configuration, a plugin or -m MODEL");
}

static int plan(struct cli *c)
{
	if (c->show.floor && !c->show.profile)
		return missing("plan", "--profile for --floor");
	c->show.json = c->json;
	c->request.show = c->show;
	struct inn__config config = config_of(c);

	if (c->operand)
		return inn__config_plan(c->job, &config, stdout);
	return c->request.model ? inn__request_plan(c->job, &c->request, stdout) : missing("plan", "a configuration or -m MODEL");
}

static int devices(struct cli *c) { return inn__devices(c->job, c->json, stdout); }

static int tune(struct cli *c) { return inn__tune(c->job); }

const struct command commands[] = {
	{ "run", "CONFIG [-s KEY=VALUE]...", "Everything a configuration asks for, written to its output folder",
	  "A run that finished already is not repeated; a folder with the results of another run is refused.", 1, run },
	{ "analyze", "-m MODEL -i INPUT -a ANALYZER -o OUTPUT", "What each element of the input contributed to the output",
	  "The suffix of OUTPUT says how: an array in exactly the input's shape, an archive with one array for each input, or a\n"
	  "picture. Arrays count samples in axis 0 and are taken as the network wants them; pictures need -p.", 0, analyze },
	{ "predict", "-m MODEL -i INPUT", "The most probable classes, or with -o the raw output", NULL, 0, predict },
	{ "fit", "-m MODEL -i DATA -a ANALYZER -o STATE.npz", "What an analyzer must know of a data set, for its parameter `state`",
	  "One pass over the data. A fit that was stopped or killed goes on from its last checkpoint, STATE.part.npz, when it is\n"
	  "called again, and gives the same file. With --shard K/N the sums of one part are written; `fit --merge A.npz B.npz ...\n"
	  "-o STATE.npz` makes a state of all parts.", 1024, fit },
	{ "list", "[KIND]", "Which plugins there are", NULL, 1, list },
	{ "help", "[NAME|COMMAND]", "What a plugin or a command does, with its parameters", NULL, 1, help },
	{ "check", "[CONFIG|PLUGIN.so] [-m MODEL ...]", "Whether a configuration, a plugin or a request can be run, without running it", NULL, 1, check },
	{ "plan", "[CONFIG] [-m MODEL ...]", "The network's layers, numbered, and what a method costs",
	  "F and B count multiplications of forward and backward products in units of the forward pass, `once` those that\n"
	  "run once for the network, z the values stored besides their rectified copy.", 1, plan },
	{ "devices", "", "What backends can compute on, and which one is taken", NULL, 0, devices },
	{ "tune", "-b BACKEND", "Measure a backend's device, so that later runs on it are faster",
	  "What was found is kept in the user's data folder.", 0, tune },
	{ 0 },
};

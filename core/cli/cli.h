/* The command line: one table of commands, one of options. */
#ifndef INN_CLI_CLI_H
#define INN_CLI_CLI_H
#include "../job/run.h"

struct cli {
	inn_job *job;
	struct inn__request request;
	const char *backend, *limits, *plugin_dir[16], *set[256], *input[256], *layer[64], *operand, *file[1024];
	size_t n_plugin_dir, n_set, n_file; /* file: all operands */
	int64_t threads;
	struct inn__show show;
	bool merge, json, quiet, verbose, help, force;
};
struct option_row {
	int key;                 /* letter, or a number above 255 */
	const char *name, *value, *help;
	const char *commands;    /* of which it is an option; NULL: of all */
};
struct command {
	const char *name, *operands, *brief, *doc;
	int max_operands;
	int (*run)(struct cli *c);
};
extern const struct option_row option_rows[];
extern const struct command commands[];

/* INN_OK, or INN_ECONFIG after a message. */
int options_parse(struct cli *c, const struct command *cmd, int argc, char **argv);
const struct command *command_find(const char *name);
void usage(FILE *out);
void command_help(const struct command *cmd, FILE *out);
const char *nearest_command(const char *name);
void progress_show(void *user, size_t done, size_t total, double seconds);
void progress_end(void);
#endif

/* The `innvestigate` command: results to stdout, everything else to stderr. */
#include "cli.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static inn_job *volatile running;

static void stop(int sig)
{
	(void)sig;
	if (running)
		inn_job_stop(running);
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = stop, .sa_flags = SA_RESTART | SA_RESETHAND }; /* a second one ends it at once */

	sigemptyset(&a.sa_mask);
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of what writes */
}

/* A file that is opened where standard output was closed would be printed into. Writing to what stands there instead fails. */
static void keep_standard_files(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
}

void usage(FILE *out)
{
	fprintf(out, "innvestigate: what did the network see?\n\n");
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "  %-9s %-42s %s\n", c->name, c->operands, c->brief);
	fprintf(out, "\n`innvestigate COMMAND --help` lists options; `innvestigate --version`\n");
}

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[32], n = (unsigned)strlen(b);

	if (n >= 31)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			unsigned up = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			best = up + 1 < best ? up + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = up;
			row[j] = best;
		}
	}
	return row[n];
}

const char *nearest_command(const char *name)
{
	const char *best = NULL;
	unsigned least = 3;

	for (const struct command *c = commands; c->name; c++) {
		unsigned d = distance(name, c->name);

		if (d < least) {
			least = d;
			best = c->name;
		}
	}
	return best;
}

static int unknown(const char *name)
{
	const char *near = nearest_command(name);

	fprintf(stderr, "error: no command is called %s", name);
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	fprintf(stderr, "\n");
	return inn_exit_code(INN_ECONFIG);
}

static int prepare(struct cli *c)
{
	int status = INN_OK;

	inn__job_verbosity(c->job, c->quiet ? INN__SAY_ERRORS : c->verbose ? INN__SAY_ALL : INN__SAY_NORMAL);
	inn__job_threads(c->job, (uint32_t)c->threads);
	if (!c->quiet && isatty(STDERR_FILENO))
		inn__job_progress(c->job, progress_show, NULL);
	for (size_t i = 0; status == INN_OK && i < c->n_plugin_dir; i++)
		status = inn_job_plugins(c->job, c->plugin_dir[i]);
	if (status == INN_OK && c->limits)
		status = inn_job_limits(c->job, c->limits);
	if (status == INN_OK && c->backend)
		status = inn_job_backend(c->job, c->backend);
	return status;
}

static int execute(struct cli *c, const struct command *cmd)
{
	int status = INN_ENOMEM;

	c->job = inn_job_new();
	if (!c->job) {
		fprintf(stderr, "error: out of memory\n");
		return inn_exit_code(status);
	}
	running = c->job;
	catch_signals();
	if ((status = prepare(c)) == INN_OK)
		status = cmd->run(c);
	progress_end();
	for (uint32_t i = 0; i < inn_error_count(c->job); i++)
		fprintf(stderr, "%s\n", inn_error(c->job, i));
	if (status < 0 && inn_error_count(c->job))
		status = inn_error_status(c->job);
	running = NULL;
	inn_job_free(c->job);
	if (status == INN_OK && (fflush(stdout) || ferror(stdout))) {
		fprintf(stderr, "error: cannot write to standard output\n");
		status = INN_EIO;
	}
	return inn_exit_code(status);
}

int main(int argc, char **argv)
{
	struct cli c = { 0 };

	keep_standard_files();
	if (argc < 2) {
		usage(stderr);
		return inn_exit_code(INN_ECONFIG);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("innvestigate %d.%d.%d\n", INN_VERSION_MAJOR, INN_VERSION_MINOR, INN_VERSION_PATCH);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return 0;
	}
	const struct command *cmd = command_find(argv[1]);

	if (!cmd)
		return unknown(argv[1]);
	if (options_parse(&c, cmd, argc - 1, argv + 1) < 0)
		return inn_exit_code(INN_ECONFIG);
	if (c.help) {
		command_help(cmd, stdout);
		return 0;
	}
	return execute(&c, cmd);
}

/* Runs a fuzz target on files: what the corpora found stays found, without a fuzzer. Usage: fuzz_X FILE... */
#include "house.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");
		long n = f && !fseek(f, 0, SEEK_END) ? ftell(f) : -1;
		uint8_t *data = n < 0 ? NULL : malloc((size_t)n + 1);

		if (!data || fseek(f, 0, SEEK_SET) || fread(data, 1, (size_t)n, f) != (size_t)n) {
			fprintf(stderr, "cannot read %s\n", argv[i]);
			return 2;
		}
		fclose(f);
		data = realloc(data, n ? (size_t)n : 1); /* a checking tool sees reads past the end */
		LLVMFuzzerTestOneInput(data, (size_t)n);
		free(data);
	}
	printf("%d files\n", argc - 1);
	return 0;
}

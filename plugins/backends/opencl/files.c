/* The user's own files: built programs in the cache folder, what `tune` measured in the data folder. */
#include "opencl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t ocl_hash(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

/* Makes `path` and the folders on the way. */
static bool make(char *path)
{
	for (char *at = path + 1;; at++) {
		char was = *at;

		if (was && was != '/')
			continue;
		*at = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return false;
		if (!(*at = was))
			return true;
	}
}

static const char *folder(const char *name)
{
	const char *s = secure_getenv(name);

	return s && *s == '/' ? s : NULL;
}

bool ocl_path(bool cache, uint64_t key, char path[PATH_MAX])
{
	const char *own = cache ? secure_getenv("INNVESTIGATE_CACHE") : NULL, *xdg = folder(cache ? "XDG_CACHE_HOME" : "XDG_DATA_HOME");
	const char *home = folder("HOME");
	char base[PATH_MAX - 64];
	int len = own && *own ? snprintf(base, sizeof(base), "%s", own) : xdg ? snprintf(base, sizeof(base), "%s/innvestigate", xdg) :
		  home ? snprintf(base, sizeof(base), "%s/%s/innvestigate", home, cache ? ".cache" : ".local/share") : -1;

	if (len < 0 || (size_t)len >= sizeof(base) || !make(base))
		return false;
	snprintf(path, PATH_MAX, "%s/%016llx.%s", base, (unsigned long long)key, cache ? "cl.bin" : "clblast");
	return true;
}

char *ocl_load(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *data = NULL;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) && st.st_size > 0 &&
	    st.st_size < 1 << 28 && (data = malloc((size_t)st.st_size + 1))) {
		*n = (size_t)st.st_size;
		data[*n] = 0;
		if (read(fd, data, *n) != (ssize_t)*n) {
			free(data);
			data = NULL;
		}
	}
	if (fd >= 0)
		close(fd);
	return data;
}

bool ocl_store(const char *path, const void *data, size_t n)
{
	char tmp[PATH_MAX + 16];

	snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	int fd = mkstemp(tmp);

	if (fd < 0)
		return false;
	bool ok = write(fd, data, n) == (ssize_t)n;

	ok = !close(fd) && ok;
	ok = ok && !rename(tmp, path);
	if (!ok)
		unlink(tmp);
	return ok;
}

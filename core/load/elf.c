/* A plugin file read as ELF: nothing of it runs before it has passed. */
#include "elf.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image { const uint8_t *data; size_t size; };

/* [offset, offset + n) of the file, or NULL. */
static const void *part(const struct image *im, uint64_t offset, uint64_t n)
{
	return offset <= im->size && n <= im->size - offset ? im->data + offset : NULL;
}

/* The file bytes behind a virtual address. */
static const void *at_address(const struct image *im, const Elf64_Ehdr *h, uint64_t address, uint64_t n)
{
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;
		const void *raw = part(im, h->e_phoff + (uint64_t)i * sizeof(p), sizeof(p));

		if (!raw)
			return NULL;
		memcpy(&p, raw, sizeof(p));
		if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz)
			return part(im, p.p_offset + (address - p.p_vaddr), n);
	}
	return NULL;
}

/* All headers and all that will be mapped lie in the file: touching a page past its end would kill the process. */
static bool whole(const struct image *im, const Elf64_Ehdr *h)
{
	if (!part(im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(Elf64_Phdr)) || !part(im, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)))
		return false;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		memcpy(&p, im->data + h->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD && !part(im, p.p_offset, p.p_filesz))
			return false;
	}
	return true;
}

static bool section(const struct image *im, const Elf64_Ehdr *h, uint32_t type, Elf64_Shdr *out)
{
	for (unsigned i = 0; i < h->e_shnum; i++) {
		const void *raw = part(im, h->e_shoff + (uint64_t)i * sizeof(*out), sizeof(*out));

		if (!raw)
			return false;
		memcpy(out, raw, sizeof(*out));
		if (out->sh_type == type)
			return true;
	}
	return false;
}

/* Finds the plugin symbol in the dynamic symbol table; its address and size. */
static bool symbol(const struct image *im, const Elf64_Ehdr *h, const char *name, Elf64_Sym *out)
{
	Elf64_Shdr sym, str;
	const void *raw;

	if (!section(im, h, SHT_DYNSYM, &sym) || sym.sh_link >= h->e_shnum ||
	    !(raw = part(im, h->e_shoff + (uint64_t)sym.sh_link * sizeof(str), sizeof(str))))
		return false;
	memcpy(&str, raw, sizeof(str));
	const char *names = part(im, str.sh_offset, str.sh_size);

	for (uint64_t i = 0; names && i < sym.sh_size / sizeof(*out); i++) {
		if (!(raw = part(im, sym.sh_offset + i * sizeof(*out), sizeof(*out))))
			return false;
		memcpy(out, raw, sizeof(*out));
		if (out->st_name < str.sh_size && !strncmp(names + out->st_name, name, str.sh_size - out->st_name) && out->st_value)
			return true;
	}
	return false;
}

static const char *inspect(const struct image *im, struct inn__elf *out)
{
	Elf64_Ehdr h;
	Elf64_Sym s;
	Elf64_Shdr init;
	const uint8_t *head;

	if (im->size < sizeof(h))
		return "is too short";
	memcpy(&h, im->data, sizeof(h));
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) || h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_type != ET_DYN)
		return "is not a shared object";
#if defined(__x86_64__)
	if (h.e_machine != EM_X86_64)
		return "was built for another machine";
#elif defined(__aarch64__)
	if (h.e_machine != EM_AARCH64)
		return "was built for another machine";
#endif
	if (h.e_phentsize != sizeof(Elf64_Phdr) || h.e_shentsize != sizeof(Elf64_Shdr) || !whole(im, &h))
		return "is truncated";
	if (!symbol(im, &h, "inn_plugin_1", &s))
		return "exports no inn_plugin_1";
	if (!(head = at_address(im, &h, s.st_value, 3 * sizeof(uint32_t))))
		return "is truncated";
	memcpy(&out->magic, head, sizeof(out->magic));
	memcpy(&out->abi, head + 4, sizeof(out->abi));
	memcpy(&out->size, head + 8, sizeof(out->size));
	out->init_array = section(im, &h, SHT_INIT_ARRAY, &init) ? init.sh_size : 0;
	return NULL;
}

int inn__elf_read(inn_ctx *ctx, const char *path, struct inn__elf *out)
{
	struct inn_loc loc = { .file = path };
	struct stat st;
	const char *why = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return inn_fail(ctx, INN_EPLUGIN, &loc, "cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		why = "is not a regular file";
	else if (st.st_mode & S_IWOTH)
		why = "may be written by everybody";
	else if (st.st_size <= 0 || st.st_size > (off_t)1 << 30)
		why = "is too short or too large";
	if (!why) {
		struct image im = { .size = (size_t)st.st_size };
		void *map = mmap(NULL, im.size, PROT_READ, MAP_PRIVATE, fd, 0);

		im.data = map;
		why = map == MAP_FAILED ? "cannot be mapped" : inspect(&im, out);
		if (map != MAP_FAILED)
			munmap(map, im.size);
	}
	close(fd);
	return why ? inn_fail(ctx, INN_EPLUGIN, &loc, "%s", why) : INN_OK;
}

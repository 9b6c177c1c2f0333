/* libFuzzer's mutator for PNG: what is mutated gets the checksums that let it past the decoder's first look. */
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t at = 8, n;

	(void)seed;
	size = LLVMFuzzerMutate(data, size, max);
	for (; size >= at + 12; at += n + 12) {
		n = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 | (size_t)data[at + 2] << 8 | data[at + 3];
		if (n > size - at - 12)
			break;
		uLong sum = crc32(crc32(0, NULL, 0), data + at + 4, (uInt)n + 4);

		for (int k = 0; k < 4; k++)
			data[at + 8 + n + (size_t)k] = (uint8_t)(sum >> (24 - 8 * k));
	}
	return size;
}

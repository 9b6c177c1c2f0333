/* Counter-based noise: Philox4x32-10. */

inline uint4 philox(uint2 key, uint4 c)
{
	for (int r = 0; r < 10; r++) {
		uint lo0 = 0xD2511F53u * c.x, hi0 = mul_hi(0xD2511F53u, c.x), lo2 = 0xCD9E8D57u * c.z, hi2 = mul_hi(0xCD9E8D57u, c.z);

		c = (uint4)(hi2 ^ c.y ^ key.x, lo2, hi0 ^ c.w ^ key.y, lo0);
		key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
	}
	return c;
}

/* index: the iterations of the loops around, outermost first; only n_index of the two are read. */
__kernel void noise(__global const uint *ids, ulong ids0, __global const float *outer, ulong outer0, __global const float *inner, ulong inner0,
		    __global float *y, ulong y0, uint key0, uint key1, int n_index, int normal, int n, int rows, int per)
{
	int j = get_global_id(0) * per, end = min(j + per, n), row = get_global_id(1);

	if (row >= rows || j >= n)
		return;
	uint id = ids[ids0 + row], a = n_index > 0 ? (uint)outer[outer0] : 0, b = n_index > 1 ? (uint)inner[inner0] : 0;

	y += y0 + (ulong)row * n;
	for (; j < end; j++) {
		uint4 c = philox((uint2)(key0, key1), (uint4)(id, (uint)j, a, b));
		float u = (c.x >> 8) * 0x1p-24f;

		if (normal)
			u = sqrt(-2 * log(((c.x >> 8) + 1) * 0x1p-24f)) * cospi(2 * ((c.y >> 8) * 0x1p-24f));
		y[j] = u;
	}
}

/* Before all others. LANES: elements that one work-item takes at once, 16 on processors, 1 where neighbouring work-items
 * should read neighbouring elements. Results depend on shapes alone, never on an element's place in its vector. */
#pragma OPENCL FP_CONTRACT OFF
#if LANES == 16
typedef float16 lanes;
typedef int16 lanes_int;
#define LOAD(p) vload16(0, (p))
#define STORE(v, p) vstore16((v), 0, (p))
#else
typedef float lanes;
typedef int lanes_int;
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#endif

#define ALWAYS __attribute__((always_inline)) /* what it is given is then known, and loops can be unrolled */

/* x % n. A checking tool that cannot follow what compilers make of x / n beside it asks for -DAPART. */
#ifdef APART
__attribute__((noinline)) int rest(int x, int n);
__attribute__((noinline))
#else
inline
#endif
int rest(int x, int n) { return x % n; }

/* Up to 16 elements, the rest 0. */
inline float16 load16(__global const float *p, int n)
{
	float t[16];

	for (int l = 0; l < 16; l++)
		t[l] = l < n ? p[l] : 0;
	return vload16(0, t);
}

inline lanes load_some(__global const float *p, int n)
{
#if LANES == 16
	return load16(p, n);
#else
	return *p;
#endif
}

inline void store_some(lanes v, __global float *p, int n)
{
#if LANES == 16
	float t[16];

	vstore16(v, 0, t);
	for (int l = 0; l < n; l++)
		p[l] = t[l];
#else
	*p = v;
#endif
}

/* Elements a stride apart. */
inline lanes load_apart(__global const float *p, int n, int stride)
{
#if LANES == 16
	float t[16];

	for (int l = 0; l < 16; l++)
		t[l] = l < n ? p[l * stride] : 0;
	return vload16(0, t);
#else
	return *p;
#endif
}

/* Means over samples with confidence intervals by Student's t: mean -+ t s / sqrt(n), honest for few samples too. */
#include "report.h"
#include <math.h>
#include <stdlib.h>

double inn__t_quantile(size_t freedom)
{
	static const double few[] = { 12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139 };
	const double z = 1.959963984540054, z2 = z * z, v = (double)freedom;

	if (freedom <= sizeof(few) / sizeof(*few))
		return few[freedom - 1];
	/* Cornish and Fisher's expansion */
	return z * (1 + (z2 + 1) / (4 * v) + ((5 * z2 + 16) * z2 + 3) / (96 * v * v) + (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v));
}

void inn__intervals(const struct inn_tensor *t, struct inn__interval *out)
{
	size_t n = t->shape.dim[0], points = t->shape.rank > 1 ? t->shape.dim[1] : 1;

	for (size_t p = 0; p < points; p++) {
		double mean = 0, square = 0, half = NAN;

		for (size_t i = 0; i < n; i++)
			mean += inn_tensor_real(t, i * points + p) / (double)n;
		for (size_t i = 0; i < n; i++)
			square += pow(inn_tensor_real(t, i * points + p) - mean, 2);
		if (n > 1)
			half = inn__t_quantile(n - 1) * sqrt(square / (double)(n - 1) / (double)n);
		out[p] = (struct inn__interval){ mean, mean - half, mean + half };
	}
}

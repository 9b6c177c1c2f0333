/* What kernels and host agree on: structures that go to kernels by value. Read by both compilers. */
#define TILE_ROWS 12      /* of the own product, in registers */
#define TILE_COLUMNS 32
struct move { /* y[. ds] = x[. ss] over merged axes, innermost last */
	int nd, dim[8], ds[8], ss[8];
};
struct reduction { /* merged axes except the innermost one: kept, reduced */
	int n_kept, kept[8], ks[8], n_red, red[8], rs[8];
	int n, rows;           /* innermost length, product of red */
	int chunks, step;      /* pieces of the innermost run; elements of one */
	int most;              /* the largest instead of the sum */
};
struct geometry { /* a window over three axes; missing axes have length 1, in front */
	int in[3], out[3], size[3], stride[3], before[3], dilation[3];
	int whole;             /* averages divide by the window, not by its cells inside the image */
};
struct product { /* c[m][n] = sum over k of a[m][k] b[k][n], z = (z0, z1) of such */
	int m, n, k;
	int a_z0, a_z1, b_z0, b_z1, c_z0, c_z1, n1;
	int ldb;               /* between rows of b, or between the channels that its rows are taken from */
	int taps[3], tap[3];   /* kernel positions along each axis, and how far b moves for one */
	int height, wide;      /* columns are a grid of rows of `wide`, planes of `height` rows ... */
	int rows, width;       /* ... of which the first `width` of a row, `rows` of a plane count */
	int ldc, inner;        /* between rows and columns of c */
	int b_n;               /* how far the first column of a tile moves b for one column: 1, or k where b is in panels of a tile's width */
	int c_16;              /* not 0: so far apart are 16 columns of c from the next, and all are there */
	int by_n;              /* neighbouring work-items take neighbouring columns, else rows */
};
struct packing { /* element (m, k) stands at m rs + k / run * cs + k % run * ts */
	int m, k, rs, run, cs, ts;
	int n1, s0, s1;        /* z = (z0, z1) of such */
};
#define APART_POINTS 16 /* elements between the matrices of neighbouring points, so that these fall into different sets of a cache */
struct winograd { /* c channels to k results; tiles of side x side results, from the operand's that are wider by 2 */
	int c, k, in[2], out[2], before[2];
	int side, high, wide;  /* rows of tiles in a sample, and tiles in a row */
	int first, n, room;    /* tiles of this pass, counted over samples; room for them in a row of their matrices */
	int block, k_block;    /* columns of a panel: tiles, and results of the weights */
	int m_k, m_tile, m_point; /* between results, groups of tiles that a work-item takes, and points of the products */
	int k_room;            /* results with room for whole panels */
	int w_k, w_c, turned;  /* between kernels of neighbouring results and channels; they are turned around */
};
struct patches { /* columns [from, from + n) of the matrix [channels * taps][positions] of one sample */
	int channels, from, n;
};

/* Rules of relevance against loops over what each input of a layer gives to each output. */
#ifndef RULES_H
#define RULES_H
#include "../../core/net/net.h"
#include "conform.h"

struct edge { size_t i, j, w; }; /* x[i] enters y[j] by weight w */
struct map {                     /* an affine layer, each pair of input and output by itself */
	size_t n_in, n_out, n, cap, channels, inner; /* y[j] has channel j / inner % channels */
	uint32_t samples;
	struct edge *e;
	double *W, *bias;        /* as they act on x; bias NULL: none */
};

struct layer_case {
	const char *name, *kind;
	struct inn_shape x, W;
	struct inn_window w;   /* of convolutions; 0 stands for 1 */
	bool bias;
	int fill;              /* of x and weights */
	double alpha;          /* gemm: factor of the product, and half that of the bias; 0: 1 */
	bool transB;
};

enum term { NO_TERM, XW, XW_POS, XW_NEG, X_WPOS, W_SQUARE, ONE, BOX, PLAIN, RAISED, LOWERED, POS_POS, NEG_NEG, POS_NEG, NEG_POS };
enum bias_term { NO_BIAS, B, B_POS, B_NEG, B_SQUARE, B_RAISED, B_LOWERED };
struct part {            /* weight * sum_j c_ij / (sum_i c_ij + bias_j) R_j over the outputs on one side of zero */
	double weight;
	int term, bias, side; /* side 0: all outputs, 1: z > 0, -1: z < 0 */
};
struct rule_case {
	const char *type;    /* a class and its parameters, without the braces */
	uint32_t dialect;
	struct part part[4]; /* ends with a part of no term */
	double gamma;
	double low[4], high[4]; /* one a channel */
	struct inn_stabilizer guard;
};

struct subject { /* one rule on one layer */
	const struct layer_case *layer; /* if it is affine */
	const struct rule_case *rule;
	const struct inn__finder *classes;
	const char *kind, *in[6];       /* the layer; its inputs x0, x1 ..., w0, w1 ..., ended by NULL */
	int (*attributes)(const struct subject *s, inn_node *n); /* or NULL */
	struct inn_shape x[MAX_IN], y;
	struct inn_window w;
	struct map map;
	float *held[4];                 /* what the graph holds: w0 ... */
	struct inn_tensor t[4];         /* over held */
	inn_graph *g;
	struct inn__probe *probe;       /* or NULL */
	uint32_t n_data, operand;       /* operands that are no weights; whose relevance is wanted, n_data: the sum of all */
};

extern const struct layer_case layer_cases[];
extern const struct rule_case rule_cases[];
extern const size_t n_rule_cases;
/* The layer's node, weights and pairs of inputs and outputs; `dead`: some weights are 0, and all of the first output.
 * False: no memory. */
bool layer_subject(struct subject *s, const struct layer_case *l, bool dead);
bool push_edge(struct map *m, size_t i, size_t j, size_t w);
/* Weight k: v / factor. */
bool hold(struct subject *s, int k, const double *v, const struct inn_shape *shape, double factor);
int window_attributes(const struct subject *s, inn_node *n);
/* For struct spec: the layer as the only node of a graph, and the rule applied to it. x: its data, then the relevance of y. */
inn_val make_relevance(inn_build *b, const inn_val *x, const struct spec *spec);
void subject_free(void *subject);

struct lost { double bias, stabilizer; };
/* lost: NULL, or for each sample what does not reach the inputs; zeroed by the caller. */
void relevance(const struct map *m, const struct rule_case *r, const double *x, const double *R, double *out, struct lost *lost);
/* z kept away from zero; rms: of the sample's z. */
double stabilized(struct inn_stabilizer how, double z, double rms);

void conform_other_layers(struct bench *t); /* of rule_others.c */
void conform_batch_norms(struct bench *t);
void conform_conservation(struct bench *t);
#endif

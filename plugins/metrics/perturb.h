/* What the metrics of this folder share: what the network says while the regions of its input are replaced, step by step, in
 * the order of a map. All metrics with equal parameters share the same passes through the network. */
#ifndef METRICS_PERTURB_H
#define METRICS_PERTURB_H
#include <innvestigate/plugin.h>

enum perturb_function { MEAN, SUM, MAX, MIN, ABS_SUM, MAX_ABS, NONE };
enum perturb_pad { PAD_NONE, PAD_REFLECT, PAD_EDGE, PAD_CONSTANT };
enum perturb_score { PROBABILITY, OUTPUT };
enum perturb_channels { CHANNELS_AUTO, CHANNELS_FIRST, CHANNELS_LAST };
enum perturb_order { MORF, LERF, INSERTED }; /* the most, the least relevant first; all replaced, then the most relevant back */
enum perturb_what { SCORE, ACCURACY };

struct perturb { /* the options of every metric in this folder */
	struct inn_inst fill;
	struct inn_ints region_shape;
	struct inn_reals value_range;
	int reduce_function, aggregation_function, pad_mode, score, channels;
	int64_t steps, regions_per_step, first_step, input;
	bool recompute_analysis, lerf;
};

extern const struct inn_choice perturb_reductions[], perturb_pads[], perturb_scores[], perturb_layouts[];

/* The rows of a metric's table, with its own defaults. */
#define PERTURB_ROWS(FILL, REGION, REDUCE, AGGREGATE, STEPS, PER_STEP) \
	INN_CLASS(struct perturb, fill, INN_FILL, FILL, "what stands in the place of what is taken away"), \
	INN_INTS(struct perturb, region_shape, REGION, 1, 1e6, "size of a region on each axis; one number for all"), \
	INN_ENUM(struct perturb, reduce_function, REDUCE, perturb_reductions, "how channels become one number"), \
	INN_ENUM(struct perturb, aggregation_function, AGGREGATE, perturb_reductions + 1 /* all but none */, "how the cells of a region become one number"), \
	INN_ENUM(struct perturb, pad_mode, PAD_NONE, perturb_pads, "where regions reach beyond the edge"), \
	INN_REALS(struct perturb, value_range, "[]", -1e9, 1e9, "low and high: the fill is clipped to it"), \
	INN_INT(struct perturb, steps, STEPS, 0, 1e6, "points of a curve after the clean one; 0: as many as replace all"), \
	INN_INT(struct perturb, regions_per_step, PER_STEP, 0, 1e9, "regions replaced at each step; 0: spread evenly, the last step replaces all"), \
	INN_INT(struct perturb, first_step, 0, 0, 1e9, "regions replaced at the first step; 0: regions_per_step (iNNvestigate: 1)"), \
	INN_BOOL(struct perturb, recompute_analysis, false, "analyze anew after every step"), \
	INN_ENUM(struct perturb, score, PROBABILITY, perturb_scores, "what the network says of the target"), \
	INN_INT(struct perturb, input, 0, 0, 1e6, "which of the network's inputs is perturbed, from 0; the others stay as they are"), \
	INN_ENUM(struct perturb, channels, CHANNELS_AUTO, perturb_layouts, "which axis of the input counts channels")

/* Relations between the rows. */
int perturb_check(inn_ctx *ctx, const struct inn_loc *loc, const void *opts);

struct perturb_curve { /* v [N,n]: for every sample the value at n steps, the clean one (or all replaced) first */
	inn_val v;
	const double *at; /* the share of regions replaced (inserted) */
	uint32_t n;
};
struct perturb_curve perturb_curve(inn_build *b, const struct inn_subject *s, const struct perturb *o, int order, int what);
/* The area under a curve over `at`, which spans 1, by the trapezoidal rule: [N]. */
inn_val perturb_area(inn_build *b, const struct perturb_curve *c);
/* A value [N,1] as [N]. */
inn_val perturb_column(inn_build *b, inn_val v);
/* The points from `first` on. */
struct perturb_curve perturb_from(inn_build *b, const struct perturb_curve *c, uint32_t first);
/* The area under the curve of what is asked for, as the score, and the curves: of the least relevant first only if o->lerf. */
void perturb_areas(inn_build *b, const struct inn_subject *s, const struct perturb *o, int what);
/* Measures a curve under a name. */
void perturb_measure(inn_build *b, const char *name, const struct perturb_curve *c);

/* ---- regions.c: how an input divides into regions */
struct regions {
	bool flat, last;              /* [N,F] is seen as [N,1,F]; channels are the last axis of the input */
	struct inn_window window;     /* size = stride; before and after what is padded, or else lacks */
	uint32_t pad[3], size[3];     /* the input's place in what is worked on, 0 unless padded; its sizes */
	uint32_t grid[3], channels;   /* regions on each axis; channels that are ranked on their own */
	uint32_t n;                   /* regions of a sample */
};
/* False after recording why the input has no such regions. */
bool regions_of(inn_build *b, inn_val x, const struct perturb *o, struct regions *r);
/* An input or a map as [N,C,...], padded; and back. */
inn_val regions_view(inn_build *b, const struct regions *r, const struct perturb *o, inn_val x);
inn_val regions_unview(inn_build *b, const struct regions *r, inn_val x);
/* A zero that belongs to its sample, [N,1]: what it is added to does so too, even if it is the same for all. */
inn_val regions_zero(inn_build *b, inn_val x);
/* What a map says of each region: [N,n]. */
inn_val regions_scores(inn_build *b, const struct regions *r, const struct perturb *o, inn_val map);
/* A number for each region [N,n] at each of its cells: [N,1 or C,...]. */
inn_val regions_spread(inn_build *b, const struct regions *r, inn_val v, inn_val like);
#endif

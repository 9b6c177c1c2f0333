/* Scatter, the older name of ScatterElements. */
#include "scatter.h"

LAYER(scatter, "elements replaced", params, sizeof(struct opts), .traits = INN_T_MERGE);

/* ScatterElements. */
#include "scatter.h"

LAYER(scatter_elements, "elements replaced", params, sizeof(struct opts), .traits = INN_T_MERGE);

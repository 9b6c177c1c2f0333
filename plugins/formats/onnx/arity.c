/* How many inputs an operator takes, from which opset on; of operators that are not named nothing is known. */
#include "arity.h"
#include <stdio.h>
#include <string.h>

static const struct { uint32_t since, most; const char *ops; } rows[] = { /* of two rows that name an operator the later holds */
	{ 1, 0, " Constant " },
	{ 1, 1, " Abs ArgMax ArgMin AveragePool Cast Ceil Clip DepthToSpace Dropout Elu Exp Flatten Floor GlobalAveragePool GlobalMaxPool "
		"HardSigmoid Hardmax Identity LRN LeakyRelu Log LogSoftmax LpNormalization MaxPool Neg Not Pad Reciprocal ReduceL1 ReduceL2 "
		"ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Selu Shape "
		"Sigmoid Size Slice Softmax Softplus Softsign SpaceToDepth Sqrt Squeeze Tanh TopK Transpose Unsqueeze Upsample " },
	{ 1, 2, " Add And Div Equal Gather Greater Less MatMul Mul Or PRelu Pow Split Sub Xor " },
	{ 1, 3, " Conv ConvTranspose Gemm InstanceNormalization Tile " },
	{ 1, 5, " BatchNormalization " },
	{ 2, 1, " Split " },
	{ 5, 2, " Reshape " },
	{ 6, 2, " Tile " },
	{ 7, 1, " Acos Asin Atan Cos Sin Tan " },
	{ 8, 2, " Expand " },
	{ 9, 1, " Acosh Asinh Atanh ConstantOfShape Cosh Erf EyeLike MeanVarianceNormalization NonZero Shrink Sign Sinh " },
	{ 9, 2, " Compress Upsample " },
	{ 9, 3, " OneHot Scatter Where " },
	{ 10, 1, " ThresholdedRelu " },
	{ 10, 2, " Mod Resize TopK " },
	{ 10, 5, " Slice " },
	{ 11, 1, " Round " },
	{ 11, 2, " CumSum GatherElements GatherND " },
	{ 11, 3, " Clip Pad Range ScatterElements ScatterND " },
	{ 11, 4, " Resize " },
	{ 12, 1, " Celu " },
	{ 12, 2, " GreaterOrEqual LessOrEqual " },
	{ 12, 3, " Dropout NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss " },
	{ 13, 2, " ReduceSum Split Squeeze Unsqueeze " },
	{ 14, 1, " HardSwish " },
	{ 14, 2, " Trilu " },
	{ 15, 2, " CastLike " },
	{ 17, 3, " LayerNormalization " },
	{ 18, 1, " Mish " },
	{ 18, 2, " ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare " },
	{ 18, 3, " GroupNormalization " },
	{ 18, 4, " Pad " },
	{ 20, 1, " Gelu " },
};

uint32_t onnx_most_inputs(const char *op, uint32_t opset)
{
	uint32_t most = UINT32_MAX;
	char word[64];

	if (snprintf(word, sizeof(word), " %s ", op) >= (int)sizeof(word))
		return most;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].since <= opset && strstr(rows[i].ops, word))
			most = rows[i].most;
	return most;
}

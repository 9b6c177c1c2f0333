/* How many inputs an operator takes, from which opset on; of operators that are not named nothing is known. */
#include "arity.h"
#include <stdio.h>
#include <string.h>

#define ANY UINT32_MAX

static const struct { uint32_t since, least, most; const char *ops; } rows[] = { /* of two that name an operator the later holds */
	{ 1, 0, 0, " Constant " },
	{ 1, 1, 1, " Abs ArgMax ArgMin AveragePool Cast Ceil Clip DepthToSpace Dropout Elu Exp Flatten Floor GlobalAveragePool "
		"GlobalMaxPool HardSigmoid Hardmax Identity LRN LeakyRelu Log LogSoftmax LpNormalization MaxPool Neg Not Pad "
		"Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
		"ReduceSumSquare Relu Reshape Selu Shape Sigmoid Size Slice Softmax Softplus Softsign SpaceToDepth Sqrt Squeeze "
		"Tanh TopK Transpose Unsqueeze Upsample " },
	{ 1, 1, 2, " Split " },
	{ 1, 1, ANY, " Concat Max Mean Min Sum " },
	{ 1, 2, 2, " Add And Div Equal Gather Greater Less MatMul Mul Or PRelu Pow Sub Xor " },
	{ 1, 2, 3, " Conv ConvTranspose " },
	{ 1, 3, 3, " Gemm InstanceNormalization Tile " },
	{ 1, 5, 5, " BatchNormalization " },
	{ 2, 1, 1, " Split " },
	{ 5, 2, 2, " Reshape " },
	{ 6, 2, 2, " Tile " },
	{ 7, 1, 1, " Acos Asin Atan Cos Sin Tan " },
	{ 8, 2, 2, " Expand " },
	{ 9, 1, 1, " Acosh Asinh Atanh ConstantOfShape Cosh Erf EyeLike MeanVarianceNormalization NonZero Shrink Sign Sinh " },
	{ 9, 2, 2, " Compress Upsample " },
	{ 9, 3, 3, " OneHot Scatter Where " },
	{ 10, 1, 1, " ThresholdedRelu " },
	{ 10, 2, 2, " Mod Resize TopK " },
	{ 10, 3, 5, " Slice " },
	{ 11, 1, 1, " Round " },
	{ 11, 1, 3, " Clip " },
	{ 11, 1, 4, " Resize " },
	{ 11, 2, 2, " CumSum GatherElements GatherND " },
	{ 11, 2, 3, " Gemm Pad " },
	{ 11, 3, 3, " Range ScatterElements ScatterND " },
	{ 12, 1, 1, " Celu " },
	{ 12, 1, 3, " Dropout " },
	{ 12, 1, ANY, " Einsum " },
	{ 12, 2, 2, " GreaterOrEqual LessOrEqual " },
	{ 12, 2, 3, " NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss " },
	{ 13, 1, 2, " ReduceSum Split Squeeze " },
	{ 13, 2, 2, " Unsqueeze " },
	{ 14, 1, 1, " HardSwish " },
	{ 14, 1, 2, " Trilu " },
	{ 15, 2, 2, " CastLike " },
	{ 17, 2, 3, " LayerNormalization " },
	{ 18, 1, 1, " Mish " },
	{ 18, 1, 2, " ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare " },
	{ 18, 2, 4, " Pad " },
	{ 18, 3, 3, " GroupNormalization " },
	{ 20, 1, 1, " Gelu " },
};

struct onnx_arity onnx_arity(const char *op, uint32_t opset)
{
	struct onnx_arity n = { 0, ANY };
	char word[64];

	if (snprintf(word, sizeof(word), " %s ", op) >= (int)sizeof(word))
		return n;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].since <= opset && strstr(rows[i].ops, word))
			n = (struct onnx_arity){ rows[i].least, rows[i].most };
	return n;
}

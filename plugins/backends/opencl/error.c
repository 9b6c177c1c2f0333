/* What OpenCL says, in words, and for which operation. */
#include "opencl.h"
#include <stdio.h>

const char *ocl_error_name(cl_int code)
{
	static const struct { cl_int code; const char *name; } names[] = {
		{ CL_DEVICE_NOT_FOUND, "no device found" },
		{ CL_DEVICE_NOT_AVAILABLE, "device not available" },
		{ CL_COMPILER_NOT_AVAILABLE, "compiler not available" },
		{ CL_MEM_OBJECT_ALLOCATION_FAILURE, "out of device memory" },
		{ CL_OUT_OF_RESOURCES, "out of resources, or device lost" },
		{ CL_OUT_OF_HOST_MEMORY, "out of host memory" },
		{ CL_BUILD_PROGRAM_FAILURE, "build failed" },
		{ CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, "an earlier command failed" },
		{ CL_INVALID_VALUE, "invalid value" },
		{ CL_INVALID_DEVICE, "invalid device" },
		{ CL_INVALID_CONTEXT, "invalid context" },
		{ CL_INVALID_COMMAND_QUEUE, "invalid command queue, or device lost" },
		{ CL_INVALID_BINARY, "invalid binary" },
		{ CL_INVALID_BUILD_OPTIONS, "invalid build options" },
		{ CL_INVALID_PROGRAM_EXECUTABLE, "program not built" },
		{ CL_INVALID_KERNEL_NAME, "no such kernel" },
		{ CL_INVALID_KERNEL_ARGS, "kernel arguments not set" },
		{ CL_INVALID_ARG_SIZE, "invalid argument size" },
		{ CL_INVALID_WORK_GROUP_SIZE, "invalid work-group size" },
		{ CL_INVALID_WORK_ITEM_SIZE, "invalid work-item size" },
		{ CL_INVALID_GLOBAL_WORK_SIZE, "invalid global size" },
		{ CL_INVALID_BUFFER_SIZE, "buffer too large" },
		{ CL_INVALID_OPERATION, "invalid operation" },
		{ -1001, "no platform: no driver (ICD) is installed" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code)
			return names[i].name;
	return "unnamed error";
}

int ocl_check(inn_ctx *ctx, const struct inn_exec *e, uint32_t op, const char *what, cl_int code)
{
	char of[200] = "", shape[INN_SHAPE_STR];
	bool memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_HOST_MEMORY;

	if (code == CL_SUCCESS)
		return INN_OK;
	if (e && op < e->n_ops) {
		const struct inn_op *o = op_of(e, op);

		snprintf(of, sizeof(of), " for %s %s%s%.60s", inn_op_name(o->code), inn_shape_str(&o->shape, shape), *o->from ? " of " : "",
			 o->from);
	}
	return inn_fail(ctx, memory ? INN_ENOMEM : INN_EDEVICE, NULL, "opencl: %s%s failed: %s (%d)", what, of, ocl_error_name(code), code);
}

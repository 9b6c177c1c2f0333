/* Statuses by name and as exit codes. */
#include <innvestigate/innvestigate.h>

int inn_exit_code(int status)
{
	switch (status) {
#define INN_X(name, value, code, text) case name: return code;
	INN_STATUS_MAP(INN_X)
#undef INN_X
	}
	return 1;
}

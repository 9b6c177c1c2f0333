/* What every unit test ends with. */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H
#include <check.h>

/* Runs a case alone; 0 if nothing failed. Takes the case. */
static inline int run_case(TCase *t)
{
	Suite *s = suite_create("unit");
	SRunner *r;
	int failed;

	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
#endif

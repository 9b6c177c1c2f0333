/* The one header that a plugin includes. */
#ifndef INNVESTIGATE_PLUGIN_H
#define INNVESTIGATE_PLUGIN_H

#include <innvestigate/analyzer.h>
#include <innvestigate/backend.h>
#include <innvestigate/data.h>

#endif

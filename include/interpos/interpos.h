/* interpos/interpos.h: all of libinterpos. */
#ifndef INTERPOS_INTERPOS_H
#define INTERPOS_INTERPOS_H

#include <interpos/base.h>
#include <interpos/context.h>
#include <interpos/frame.h>
#include <interpos/look.h>
#include <interpos/model.h>
#include <interpos/operation.h>
#include <interpos/project.h>
#include <interpos/version.h>

#endif

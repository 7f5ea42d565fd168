#include "pool.h"
#include <math.h>
#include <stdlib.h>

typedef struct weighed {
    double value, weight;
} weighed;

static json_t *pool_values(const char *name, const json_t *const *values, const double *weights, size_t count);

static int ascending(const void *a, const void *b) {
    const weighed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Where half of the weight is reached exactly between two values, their mean. */
static double median(weighed *values, size_t count) {
    double total = 0., sum = 0.;
    qsort(values, count, sizeof *values, ascending);
    for (size_t i = 0; i < count; i++)
        total += values[i].weight;
    for (size_t i = 0; i < count; i++) {
        sum += values[i].weight;
        if (sum > .5 * total * (1. + 1e-12))
            return values[i].value;
        if (sum >= .5 * total * (1. - 1e-12) && i + 1 < count) {
            size_t next = i + 1;
            while (next + 1 < count && values[next].weight <= 0.)
                next++;
            return .5 * (values[i].value + values[next].value);
        }
    }
    return values[count - 1].value;
}

static json_t *pool_reals(const char *name, const json_t *const *values, const double *weights, size_t count) {
    double mean = 0., total = 0., result;
    weighed *all = ip_alloc(count * sizeof *all);
    if (!all)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        all[i] = (weighed){json_number_value(values[i]), weights[i]};
        mean += weights[i] * all[i].value;
        total += weights[i];
    }
    result = strcmp(name, "confidence") == 0 ? mean / total : median(all, count);
    ip_free(all);
    return json_real(result);
}

static json_t *pool_counts(const char *name, const json_t *const *values, const double *weights, size_t count) {
    static const char *const fixed[] = {"width", "height", "grain"};
    json_int_t sum = 0;
    for (size_t i = 0; i < IP_COUNT(fixed); i++)
        if (strcmp(name, fixed[i]) == 0)
            return json_integer(json_integer_value(values[0]));
    for (size_t i = 0; i < count; i++)
        sum += weights[i] > 0. ? json_integer_value(values[i]) : 0;
    return json_integer(sum);
}

static json_t *pool_flags(const json_t *const *values, const double *weights, size_t count) {
    double yes = 0., all = 0.;
    for (size_t i = 0; i < count; i++) {
        yes += json_is_true(values[i]) ? weights[i] : 0.;
        all += weights[i];
    }
    return json_boolean(2. * yes > all);
}

static json_t *pool_list(const char *name, const json_t *const *values, const double *weights, size_t count) {
    const json_t **items = ip_alloc(count * sizeof *items);
    json_t *list = json_array();
    bool good = items && list;
    for (size_t k = 0; good && k < json_array_size(values[0]); k++) {
        for (size_t i = 0; i < count; i++)
            good = (items[i] = json_array_get(values[i], k)) != NULL && good;
        good = good && json_array_append_new(list, pool_values(name, items, weights, count)) == 0;
    }
    ip_free(items);
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

/* What a record says of its own certainty; -1: nothing. */
static double certainty(const json_t *object) {
    const json_t *own = object, *inner = json_object_get(object, "reading");
    if (inner)
        own = inner;
    if (json_is_false(json_object_get(own, "measurable")))
        return 0.;
    const char *reason = json_string_value(json_object_get(own, "reason"));
    if (reason && *reason)
        return 0.;
    const json_t *confidence = json_object_get(own, "confidence");
    return confidence ? json_number_value(confidence) : -1.;
}

/* The weights within an object: each record's own certainty times that of what it lies in. False: none of them says anything. */
static bool inner_weights(const json_t *const *values, const double *weights, size_t count, double *inner) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        double own = certainty(values[i]);
        inner[i] = own < 0. ? weights[i] : own * weights[i];
        any = any || inner[i] > 0.;
    }
    return any;
}

static json_t *pool_members(const json_t *const *values, const double *weights, size_t count) {
    const json_t **items = ip_alloc(count * sizeof *items);
    json_t *object = json_object(), *member;
    const char *name;
    bool good = items && object;
    json_object_foreach((json_t *)values[0], name, member) {
        size_t there = 0;
        for (size_t i = 0; good && i < count; i++)
            there += (items[i] = json_object_get(values[i], name)) != NULL;
        if (good && there == count)
            good = json_object_set_new(object, name, pool_values(name, items, weights, count)) == 0;
    }
    ip_free(items);
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

/* Records without a measurement are left out, as they need not have what the others have. */
static json_t *pool_object(const json_t *const *values, const double *weights, size_t count) {
    double *inner = ip_alloc(count * sizeof *inner);
    const json_t **kept = ip_alloc(count * sizeof *kept);
    json_t *object = NULL;
    if (inner && kept && inner_weights(values, weights, count, inner)) {
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (inner[i] > 0.) {
                kept[n] = values[i];
                inner[n++] = inner[i];
            }
        object = pool_members(kept, inner, n);
    } else if (inner && kept) {
        /* Such as a bin of luma in which no shot has grain: what all of them make of it all the same, certainty 0. */
        bool alone = certainty(values[0]) == 0. && (json_object_get(values[0], "reading") || json_object_get(values[0], "reason"));
        object = alone ? json_deep_copy(values[0]) : pool_members(values, weights, count);
    }
    ip_free(inner);
    ip_free(kept);
    return object;
}

static json_t *pool_values(const char *name, const json_t *const *values, const double *weights, size_t count) {
    switch (json_typeof(values[0])) {
    case JSON_OBJECT: return pool_object(values, weights, count);
    case JSON_ARRAY: return pool_list(name, values, weights, count);
    case JSON_INTEGER: return pool_counts(name, values, weights, count);
    case JSON_REAL: return pool_reals(name, values, weights, count);
    case JSON_TRUE:
    case JSON_FALSE: return pool_flags(values, weights, count);
    default: return json_deep_copy(values[0]);
    }
}

/* Paths over the frames of one shot: lists as long as a count beside them says. */
static void drop_paths(json_t *record) {
    static const char *const paths[] = {"time", "red_path", "blue_path", "exposure_path", "gain"}, *const lengths[] = {"points", "steps"};
    for (size_t i = 0; i < IP_COUNT(paths); i++)
        if (json_is_array(json_object_get(record, paths[i])))
            json_object_set_new(record, paths[i], json_array());
    for (size_t i = 0; i < IP_COUNT(lengths); i++)
        if (json_object_get(record, lengths[i]))
            json_object_set_new(record, lengths[i], json_integer(0));
}

/* White balance holds two measurements side by side: the level's numbers go by its reading, the drift's by the other. */
static json_t *pool_white(const json_t *const *records, size_t count, const double *ones) {
    static const char *const of_drift[] = {"rms", "most"};
    json_t *parts[2] = {NULL, NULL};
    for (int part = 0; part < 2; part++) {
        json_t **turned = ip_calloc(count, sizeof *turned);
        bool good = turned != NULL;
        for (size_t i = 0; good && i < count; i++) {
            turned[i] = json_copy((json_t *)records[i]); /* shallow: only "reading" is added */
            good = turned[i] && json_object_set(turned[i], "reading", json_object_get(records[i], part ? "drift" : "level")) == 0;
        }
        if (good)
            parts[part] = pool_object((const json_t *const *)turned, ones, count);
        for (size_t i = 0; turned && i < count; i++)
            json_decref(turned[i]);
        ip_free(turned);
    }
    json_t *out = parts[1] ? parts[0] : NULL;
    if (!out) {
        json_decref(parts[0]);
        json_decref(parts[1]);
        return NULL;
    }
    json_object_set(out, "level", json_object_get(parts[0], "reading"));
    json_object_set(out, "drift", json_object_get(parts[1], "reading"));
    json_object_del(out, "reading");
    for (size_t i = 0; i < IP_COUNT(of_drift); i++)
        if (json_object_get(parts[1], of_drift[i]))
            json_object_set(out, of_drift[i], json_object_get(parts[1], of_drift[i]));
    json_decref(parts[1]);
    return out;
}

ipos_status ip_look_pool(const json_t *const *records, size_t count, json_t **out) {
    *out = NULL;
    if (count == 1) {
        *out = json_deep_copy(records[0]);
        return *out ? IPOS_OK : ip_no_memory(1024);
    }
    json_t **bare = ip_calloc(count, sizeof *bare);
    double *ones = ip_alloc(count * sizeof *ones);
    bool good = bare && ones, shaped = false;
    for (size_t i = 0; i < count; i++)
        shaped = shaped || certainty(json_object_get(records[i], "luma")) > 0.;
    for (size_t i = 0; good && i < count; i++) {
        ones[i] = shaped && certainty(json_object_get(records[i], "luma")) <= 0. ? 0. : 1.; /* a bloom that was not found has no say */
        good = (bare[i] = json_copy((json_t *)records[i])) != NULL;
        drop_paths(bare[i]);
    }
    if (good)
        *out = json_object_get(records[0], "drift") ? pool_white((const json_t *const *)bare, count, ones)
                                                    : pool_object((const json_t *const *)bare, ones, count);
    for (size_t i = 0; bare && i < count; i++)
        json_decref(bare[i]);
    ip_free(bare);
    ip_free(ones);
    return *out ? IPOS_OK : ip_no_memory(1024);
}

/* Tensors, gradients and the optimiser step behind one C table. The table is the only way to a tensor library: nothing above this
 * room names torch. Used from one thread at a time; threads and gradient mode belong to the thread that sets them.
 *
 *  - Every call that returns int32_t gives an ipos_status; the text of a failure is left with ip_fail().
 *  - Results come through the first argument as a new handle, NULL on failure; drop() every handle. Inputs are never changed
 *    except by the calls named "in place". A handle may outlive the tensors it was made from.
 *  - Samples are float32 unless cast(); images are {batch, channels, height, width}. from_memory and to_memory speak packed,
 *    row-major floats whatever the layout inside is.
 *  - The same inputs on the same device, thread count and library give the same bits, gradients included.
 */
#ifndef IP_BACKEND_H
#define IP_BACKEND_H

#include <interpos/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ip_tensor ip_tensor;
typedef struct ip_generator ip_generator; /* random numbers of its own; the library's shared generator is never touched */

enum { IP_MAX_RANK = 8 };
enum { IP_DEVICE_CPU = -1 };                                        /* 0 and up: that CUDA device */
enum { IP_F32 = 0, IP_BF16 = 1, IP_F16 = 2 };                       /* sample types of a tensor */
enum { IP_PAD_ZERO = 0, IP_PAD_REFLECT = 1, IP_PAD_REPLICATE = 2 };
enum { IP_UP_NEAREST = 0, IP_UP_BILINEAR = 1 };                     /* bilinear: pixel areas, corners not aligned */
enum { IP_WARP_BILINEAR = 0, IP_WARP_BICUBIC = 1 };                 /* bicubic: a = -.75 */
enum { IP_ALL_DIMS = -128 };                                        /* for sum and mean: everything, to one value */

typedef struct ip_backend_v1 {
    uint32_t struct_size; /* sizeof(ip_backend_v1) of the backend; members are only ever appended */
    uint32_t version;     /* 1 */
    const char *name;     /* "torch" */

    /* About the library. Texts are static. */
    const char *(*library_version)(void);  /* of the running library, e.g. "1.13.1" */
    const char *(*built_with)(void);       /* of the headers; another minor than library_version is refused by ip_backend() */
    const char *(*capability)(void);       /* instruction set in use: "AVX512", "AVX2", "DEFAULT" ... */
    int32_t (*device_count)(void);         /* CUDA devices; 0 without CUDA */
    int32_t (*device_name)(int32_t device, char *text, size_t room);
    /* "auto" (CUDA if there is one), "cpu", "cuda", "cuda:N" -> a device that exists. NULL: "auto". */
    int32_t (*device_find)(const char *text, int32_t *device);

    /* The process. set_threads: for the calling thread's work from now on; call it on the thread that runs the job. */
    int32_t (*set_threads)(int32_t threads);
    int32_t (*threads)(void);
    /* Receives the library's warnings (one line) made on any thread inside calls of this table; NULL: dropped. */
    void (*set_log)(void (*log)(void *user, int32_t level, const char *text), void *user);
    /* Takes over the library's CPU memory for the rest of the process: freed blocks are kept for reuse, at most cache_bytes;
     * an allocation that would bring what is in use over limit_bytes fails with IPOS_ERR_NO_MEMORY (0: no limit). May be
     * called again with other figures. For an engine's own process only. */
    int32_t (*use_cache)(uint64_t cache_bytes, uint64_t limit_bytes);
    void (*trim)(void);                                                    /* gives every kept block back to the system */
    void (*memory)(uint64_t *in_use, uint64_t *peak, uint64_t *kept);      /* zeros without use_cache; resets the peak */
    /* Speed of a fixed convolution (32 to 32 channels, 3x3, 2x256x256, channels last) in GFLOP/s with the threads set; about
     * seconds of time for each of the two. Either pointer may be NULL. */
    int32_t (*measure)(int32_t device, double seconds, double *inference, double *training);

    /* Random numbers. */
    int32_t (*generator)(ip_generator **out, uint64_t seed, int32_t device);
    void (*drop_generator)(ip_generator *generator);
    int32_t (*randn)(ip_tensor **out, const int64_t *shape, int32_t rank, ip_generator *generator);
    int32_t (*uniform)(ip_tensor **out, const int64_t *shape, int32_t rank, double low, double high, ip_generator *generator);

    /* Making, reading, describing. */
    int32_t (*from_memory)(ip_tensor **out, const float *values, const int64_t *shape, int32_t rank, int32_t device);
    int32_t (*full)(ip_tensor **out, const int64_t *shape, int32_t rank, double value, int32_t device);
    int32_t (*to_memory)(const ip_tensor *tensor, float *values, int64_t count); /* count must be the tensor's */
    int32_t (*assign)(ip_tensor *tensor, const float *values, int64_t count);     /* in place, outside gradients */
    int32_t (*copy)(ip_tensor *to, const ip_tensor *from);                        /* in place, outside gradients, same shape */
    int32_t (*value)(const ip_tensor *tensor, double *value);                     /* of one element */
    int32_t (*shape)(const ip_tensor *tensor, int64_t shape[8]);                  /* returns the rank */
    int64_t (*count)(const ip_tensor *tensor);
    int32_t (*share)(ip_tensor **out, const ip_tensor *tensor);                   /* another handle to the same values */
    int32_t (*clone)(ip_tensor **out, const ip_tensor *tensor);
    void (*drop)(ip_tensor *tensor);                                              /* NULL is allowed */
    int32_t (*to_device)(ip_tensor **out, const ip_tensor *tensor, int32_t device);
    int32_t (*cast)(ip_tensor **out, const ip_tensor *tensor, int32_t type);
    int32_t (*channels_last)(ip_tensor **out, const ip_tensor *tensor);           /* rank 4: the layout convolutions are quick in */

    /* Networks. bias may be NULL. */
    int32_t (*conv2d)(ip_tensor **out, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int32_t stride, int32_t pad);
    int32_t (*relu)(ip_tensor **out, const ip_tensor *x);
    int32_t (*leaky_relu)(ip_tensor **out, const ip_tensor *x, double slope);
    int32_t (*sigmoid)(ip_tensor **out, const ip_tensor *x);
    int32_t (*tanh)(ip_tensor **out, const ip_tensor *x);
    int32_t (*softmax)(ip_tensor **out, const ip_tensor *x, int32_t dim);
    int32_t (*pixel_shuffle)(ip_tensor **out, const ip_tensor *x, int32_t factor);
    int32_t (*pixel_unshuffle)(ip_tensor **out, const ip_tensor *x, int32_t factor);
    int32_t (*upsample)(ip_tensor **out, const ip_tensor *x, int64_t height, int64_t width, int32_t mode);
    int32_t (*avg_pool)(ip_tensor **out, const ip_tensor *x, int32_t size, int32_t stride);
    int32_t (*pad)(ip_tensor **out, const ip_tensor *x, int64_t left, int64_t right, int64_t top, int64_t bottom, int32_t mode);

    /* Arithmetic; two inputs broadcast. */
    int32_t (*add)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*sub)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*mul)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*div)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*maximum)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*minimum)(ip_tensor **out, const ip_tensor *a, const ip_tensor *b);
    int32_t (*affine)(ip_tensor **out, const ip_tensor *x, double scale, double offset); /* x * scale + offset */
    int32_t (*clamp)(ip_tensor **out, const ip_tensor *x, double low, double high);
    int32_t (*abs)(ip_tensor **out, const ip_tensor *x);
    int32_t (*sqrt)(ip_tensor **out, const ip_tensor *x);
    int32_t (*exp)(ip_tensor **out, const ip_tensor *x);
    int32_t (*log)(ip_tensor **out, const ip_tensor *x);
    int32_t (*square)(ip_tensor **out, const ip_tensor *x);
    int32_t (*sum)(ip_tensor **out, const ip_tensor *x, int32_t dim);  /* dim stays, with extent 1; IP_ALL_DIMS: rank 0 */
    int32_t (*mean)(ip_tensor **out, const ip_tensor *x, int32_t dim);

    /* Form. Negative dims count from the end. */
    int32_t (*cat)(ip_tensor **out, const ip_tensor *const *parts, int32_t count, int32_t dim);
    int32_t (*slice)(ip_tensor **out, const ip_tensor *x, int32_t dim, int64_t start, int64_t length);
    int32_t (*reshape)(ip_tensor **out, const ip_tensor *x, const int64_t *shape, int32_t rank);
    int32_t (*transpose)(ip_tensor **out, const ip_tensor *x, int32_t dim0, int32_t dim1);
    int32_t (*flip)(ip_tensor **out, const ip_tensor *x, int32_t dim);

    /* out(x, y) = image(x + flow[0], y + flow[1]), flow in pixels {batch, 2, height, width}; the border is repeated. */
    int32_t (*warp)(ip_tensor **out, const ip_tensor *image, const ip_tensor *flow, int32_t mode);

    /* Gradients. */
    int32_t (*track)(ip_tensor *tensor, int32_t on);        /* in place: a parameter to learn, or no longer */
    int32_t (*gradients)(int32_t on);                       /* for the calling thread; returns the former state 0 or 1 */
    int32_t (*backward)(const ip_tensor *loss);             /* adds to the gradient of every tracked tensor it came from */
    int32_t (*grad)(ip_tensor **out, const ip_tensor *tensor); /* IPOS_ERR_STATE where there is none */
    int32_t (*clear_grad)(ip_tensor *tensor);
    int32_t (*detach)(ip_tensor **out, const ip_tensor *tensor);

    /* Steps over lists of tensors; in place, outside gradients. Tensors without a gradient are left as they are. */
    int32_t (*grad_norm)(ip_tensor *const *params, int32_t count, double *norm);
    int32_t (*clip_grads)(ip_tensor *const *params, int32_t count, double max_norm, double *norm); /* norm: before; may be NULL */
    /* AdamW with bias correction; step counts from 1; decay (of lr * decay) is not part of the moments. */
    int32_t (*adamw)(ip_tensor *const *params, ip_tensor *const *first, ip_tensor *const *second, int32_t count, double lr,
        double beta1, double beta2, double epsilon, double decay, int64_t step);
    int32_t (*lerp)(ip_tensor *const *to, ip_tensor *const *from, int32_t count, double weight); /* to += weight * (from - to) */
    int32_t (*all_finite)(ip_tensor *const *tensors, int32_t count, int32_t *finite);

    /* leaky_relu of conv2d, slope over 0, in less time and memory than one after the other. */
    int32_t (*conv2d_leaky)(ip_tensor **out, const ip_tensor *x, const ip_tensor *weight, const ip_tensor *bias, int32_t stride, int32_t pad,
        double slope);
} ip_backend_v1;

/* The backend this engine was built with; NULL with the error text set where it cannot be used (another library version than it
 * was built for). Static; the first call loads nothing but the table. */
const ip_backend_v1 *ip_backend(void);

#ifdef __cplusplus
}
#endif
#endif

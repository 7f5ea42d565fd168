#include "rays.h"

#include <embree3/rtcore.h>
#include <math.h>

struct ip_rays {
    RTCDevice device;
    RTCScene scene;
};

void ip_rays_free(ip_rays *rays) {
    if (!rays)
        return;
    if (rays->scene)
        rtcReleaseScene(rays->scene);
    if (rays->device)
        rtcReleaseDevice(rays->device);
    ip_free(rays);
}

static ipos_status failed(RTCDevice device, size_t triangles) {
    switch (rtcGetDeviceError(device)) {
    case RTC_ERROR_NONE: return IPOS_OK;
    case RTC_ERROR_OUT_OF_MEMORY: return ip_fail(IPOS_ERR_NO_MEMORY, "not enough memory to trace rays through %zu triangles", triangles);
    case RTC_ERROR_UNSUPPORTED_CPU: return ip_fail(IPOS_ERR_UNSUPPORTED, "Embree does not run on this processor: no mesh can be used here");
    default: return ip_fail(IPOS_ERR_ENGINE, "Embree fails on a mesh of %zu triangles", triangles);
    }
}

static ipos_status build(ip_rays *rays, const float *at, size_t points, const uint32_t *corner, size_t triangles) {
    RTCGeometry geometry = rtcNewGeometry(rays->device, RTC_GEOMETRY_TYPE_TRIANGLE);
    if (!geometry)
        return failed(rays->device, triangles);
    void *to = rtcSetNewGeometryBuffer(geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, 3 * sizeof(float), points);
    if (to)
        memcpy(to, at, points * 3 * sizeof(float));
    to = to ? rtcSetNewGeometryBuffer(geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, 3 * sizeof(uint32_t), triangles) : NULL;
    if (to) {
        memcpy(to, corner, triangles * 3 * sizeof(uint32_t));
        rtcCommitGeometry(geometry);
        rtcAttachGeometry(rays->scene, geometry);
        rtcSetSceneFlags(rays->scene, RTC_SCENE_FLAG_ROBUST);
        rtcCommitScene(rays->scene);
    }
    rtcReleaseGeometry(geometry);
    return failed(rays->device, triangles);
}

ipos_status ip_rays_new(const float *at, size_t points, const uint32_t *corner, size_t triangles, ip_rays **out) {
    ip_rays *rays = ip_calloc(1, sizeof *rays);
    *out = NULL;
    if (!rays)
        return IPOS_ERR_NO_MEMORY;
    rays->device = rtcNewDevice("threads=1,set_affinity=0");
    if (!rays->device) {
        ipos_status status = failed(NULL, triangles);
        ip_rays_free(rays);
        return status == IPOS_OK ? ip_fail(IPOS_ERR_ENGINE, "Embree does not start") : status;
    }
    rays->scene = rtcNewScene(rays->device);
    ipos_status status = rays->scene ? build(rays, at, points, corner, triangles) : failed(rays->device, triangles);
    if (status != IPOS_OK) {
        ip_rays_free(rays);
        return status;
    }
    *out = rays;
    return IPOS_OK;
}

static struct RTCRay ray_of(const float from[3], const float along[3], float least) {
    return (struct RTCRay){.org_x = from[0], .org_y = from[1], .org_z = from[2], .tnear = least, .dir_x = along[0], .dir_y = along[1], .dir_z = along[2],
        .tfar = INFINITY, .mask = ~0u};
}

bool ip_rays_first(const ip_rays *rays, const float from[3], const float along[3], float least, float *distance, float normal[3]) {
    struct RTCIntersectContext context;
    struct RTCRayHit hit = {.ray = ray_of(from, along, least), .hit = {.geomID = RTC_INVALID_GEOMETRY_ID, .instID = {RTC_INVALID_GEOMETRY_ID}}};
    rtcInitIntersectContext(&context);
    rtcIntersect1(rays->scene, &context, &hit);
    if (hit.hit.geomID == RTC_INVALID_GEOMETRY_ID)
        return false;
    float n[3] = {hit.hit.Ng_x, hit.hit.Ng_y, hit.hit.Ng_z};
    float length = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), toward = n[0] * along[0] + n[1] * along[1] + n[2] * along[2];
    if (!(length > 0))
        return false; /* a triangle without an area */
    *distance = hit.ray.tfar;
    for (int k = 0; k < 3; k++)
        normal[k] = (toward > 0 ? -n[k] : n[k]) / length;
    return true;
}

bool ip_rays_stopped(const ip_rays *rays, const float from[3], const float along[3], float least) {
    struct RTCIntersectContext context;
    struct RTCRay ray = ray_of(from, along, least);
    rtcInitIntersectContext(&context);
    rtcOccluded1(rays->scene, &context, &ray);
    return ray.tfar < 0;
}

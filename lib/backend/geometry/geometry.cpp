#include "geometry.h"

#include <array>
#include <ceres/ceres.h>
#include <ceres/rotation.h>
#include <exception>
#include <opencv2/calib3d.hpp>
#include <vector>

extern "C" ipos_status ip_fail(ipos_status status, const char *format, ...);

namespace {

cv::Matx33d matrix(const ip_lens &lens) {
    return {lens.focal, 0, lens.cx, 0, lens.focal, lens.cy, 0, 0, 1};
}

void give(const cv::Mat &r, const cv::Mat &t, ip_pose *out) {
    for (int i = 0; i < 9; i++)
        out->r[i] = r.at<double>(i / 3, i % 3);
    for (int i = 0; i < 3; i++)
        out->t[i] = t.at<double>(i);
}

template <typename Work> ipos_status guarded(Work work) noexcept {
    try {
        cv::theRNG().state = 0x1234567;
        return work();
    } catch (const std::bad_alloc &) {
        return ip_fail(IPOS_ERR_NO_MEMORY, "camera geometry: out of memory");
    } catch (const std::exception &e) {
        return ip_fail(IPOS_ERR_ENGINE, "camera geometry: %s", e.what());
    } catch (...) {
        return ip_fail(IPOS_ERR_ENGINE, "camera geometry: failed without saying why");
    }
}

}

extern "C" ipos_status ip_geometry_relative(const float *a, const float *b, size_t count, const ip_lens *lens, ip_pose *out, uint8_t *inlier) {
    return guarded([&]() -> ipos_status {
        const int n = static_cast<int>(count);
        if (n < 5)
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera geometry: %d points, at least 5 are needed", n);
        const cv::Mat first(n, 2, CV_32F, const_cast<float *>(a)), second(n, 2, CV_32F, const_cast<float *>(b));
        cv::Mat used, r, t;
        const cv::Mat essential = cv::findEssentialMat(first, second, matrix(*lens), cv::RANSAC, .999, 1., used);
        if (essential.rows != 3 || essential.cols != 3 || cv::recoverPose(essential, first, second, matrix(*lens), r, t, used) < 5)
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera geometry: no motion explains the points");
        give(r, t, out);
        for (int i = 0; i < n; i++)
            inlier[i] = used.at<uint8_t>(i) != 0;
        return IPOS_OK;
    });
}

extern "C" ipos_status ip_geometry_resect(const double *world, const float *seen, size_t count, const ip_lens *lens, const ip_pose *start, ip_pose *out) {
    return guarded([&]() -> ipos_status {
        const int n = static_cast<int>(count);
        if (n < 6)
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera geometry: %d points, at least 6 are needed", n);
        const cv::Mat points(n, 3, CV_64F, const_cast<double *>(world)), at(n, 2, CV_32F, const_cast<float *>(seen));
        cv::Mat turn, t, r;
        if (start) {
            cv::Rodrigues(cv::Mat(3, 3, CV_64F, const_cast<double *>(start->r)), turn);
            t = cv::Mat(3, 1, CV_64F, const_cast<double *>(start->t)).clone();
        } else if (!cv::solvePnPRansac(points, at, matrix(*lens), cv::noArray(), turn, t, false, 300, 2.f, .999, cv::noArray(), cv::SOLVEPNP_EPNP)) {
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera geometry: no pose explains the points");
        }
        cv::solvePnPRefineLM(points, at, matrix(*lens), cv::noArray(), turn, t);
        cv::Rodrigues(turn, r);
        give(r, t, out);
        return IPOS_OK;
    });
}

namespace {

using Pose = std::array<double, 6>; /* angle and axis, shift */

/* How far a point is from where a view sees it, pixels. */
struct Off {
    double x, y;
    ip_lens lens;
    template <typename T> bool operator()(const T *pose, const T *world, T *off) const {
        T at[3];
        ceres::AngleAxisRotatePoint(pose, world, at);
        for (int k = 0; k < 3; k++)
            at[k] += pose[3 + k];
        if (at[2] < T(1e-9))
            return false;
        off[0] = lens.focal * at[0] / at[2] + lens.cx - x;
        off[1] = lens.focal * at[1] / at[2] + lens.cy - y;
        return true;
    }
};

struct Watch : ceres::IterationCallback {
    bool (*alive)(const void *);
    const void *user;
    ceres::CallbackReturnType operator()(const ceres::IterationSummary &) override {
        return !alive || alive(user) ? ceres::SOLVER_CONTINUE : ceres::SOLVER_ABORT;
    }
};

Pose pack(const ip_pose &pose) {
    Pose out;
    ceres::RotationMatrixToAngleAxis(ceres::RowMajorAdapter3x3(pose.r), out.data());
    std::copy(pose.t, pose.t + 3, out.begin() + 3);
    return out;
}

void unpack(const Pose &pose, ip_pose *out) {
    ceres::AngleAxisToRotationMatrix(pose.data(), ceres::RowMajorAdapter3x3(out->r));
    std::copy(pose.begin() + 3, pose.end(), out->t);
}

}

extern "C" ipos_status ip_geometry_adjust(const ip_sighting *seen, size_t count, const ip_lens *lens, size_t fixed, ip_pose *poses, size_t views, double *points,
    bool (*alive)(const void *user), const void *user) {
    return guarded([&]() -> ipos_status {
        std::vector<Pose> packed(views);
        ceres::Problem problem;
        ceres::Solver::Options options;
        ceres::Solver::Summary summary;
        Watch watch;
        ceres::LossFunction *loss = new ceres::CauchyLoss(.5);
        for (size_t v = 0; v < views; v++)
            packed[v] = pack(poses[v]);
        for (size_t i = 0; i < count; i++)
            problem.AddResidualBlock(new ceres::AutoDiffCostFunction<Off, 2, 6, 3>(new Off{seen[i].x, seen[i].y, *lens}), loss, packed[seen[i].view].data(),
                points + 3 * seen[i].point);
        if (problem.HasParameterBlock(packed[fixed].data()))
            problem.SetParameterBlockConstant(packed[fixed].data());
        watch.alive = alive;
        watch.user = user;
        options.linear_solver_type = views <= 150 ? ceres::DENSE_SCHUR : ceres::SPARSE_SCHUR;
        options.max_num_iterations = 60;
        options.num_threads = 1;
        options.logging_type = ceres::SILENT;
        options.callbacks.push_back(&watch);
        ceres::Solve(options, &problem, &summary);
        if (summary.termination_type == ceres::USER_FAILURE)
            return ip_fail(IPOS_ERR_CANCELLED, "camera geometry: cancelled");
        if (!summary.IsSolutionUsable())
            return ip_fail(IPOS_ERR_NOT_FOUND, "camera geometry: poses and points do not settle");
        for (size_t v = 0; v < views; v++)
            unpack(packed[v], &poses[v]);
        return IPOS_OK;
    });
}

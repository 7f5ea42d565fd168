"""Figures for a made frame beside the true one (8-bit RGB arrays)."""

import cv2
import numpy as np

from peers import dis_flow


def psnr(made, true):
    """Peak signal-to-noise ratio in dB over all channels, at most 100."""
    error = np.mean((made.astype(np.float64) - true) ** 2)
    return float(min(100, 10 * np.log10(255 ** 2 / max(error, 1e-12))))


def ssim_map(made, true):
    """Structural similarity of the luma at every pixel (Wang et al. 2004: 11 px Gaussian, sigma 1.5)."""
    a = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY).astype(np.float64)
    b = cv2.cvtColor(true, cv2.COLOR_RGB2GRAY).astype(np.float64)
    blur = lambda x: cv2.GaussianBlur(x, (11, 11), 1.5)
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = (.01 * 255) ** 2, (.03 * 255) ** 2
    return (2 * ma * mb + c1) * (2 * cov + c2) / ((ma ** 2 + mb ** 2 + c1) * (va + vb + c2))


def ssim(made, true):
    """Its mean."""
    return float(np.mean(ssim_map(made, true)))


def aligned_psnr(made, true):
    """PSNR after the made frame is moved onto the true one by a smooth flow: what is left when only its timing was off."""
    flow = cv2.blur(dis_flow(true, made), (31, 31))
    height, width = flow.shape[:2]
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = cv2.remap(made, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return max(psnr(moved, true), psnr(made, true))


def pulse(before, frame, after):
    """How far a frame stands out of its neighbours; made/true is the flicker ratio (1: as steady as the footage)."""
    return float(np.mean(np.abs(frame.astype(np.float64) - (before.astype(np.float64) + after) / 2)))

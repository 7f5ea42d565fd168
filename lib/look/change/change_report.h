/* What differs between two takes of one set-up: things, light, colour, and the look as a whole. For script supervision: it points, a person judges. */
#ifndef IP_LOOK_CHANGE_REPORT_H
#define IP_LOOK_CHANGE_REPORT_H

#include "grade.h"
#include "record.h"
#include "region.h"

enum { IP_CHANGE_REGIONS = 64 };
#define IP_CHANGE_CHOOSE SIZE_MAX /* as a frame index: the frames that lie over each other best */

typedef struct ip_change_options { /* all 0: the defaults */
    double threshold;  /* least difference that counts, dE (CIE 1976, after registration and match); 0: 3 */
    double least_area; /* of a region, share of the picture, 0..1; 0: .00015 */
    const ip_region *skin[2]; /* the same skin marked in the take and in the reference, for skin drift; NULL: not asked for. Their frame is not looked at */
} ip_change_options;

typedef enum ip_change_kind {
    IP_CHANGE_THING,  /* something moved, came or went: the structure of the picture is another one */
    IP_CHANGE_LIGHT,  /* the same structure under more or less light */
    IP_CHANGE_COLOUR, /* the same structure in another colour */
    IP_CHANGE_DETAIL  /* alike where blurred: focus, motion blur, sharpening, grain */
} ip_change_kind;
const char *ip_change_kind_name(ip_change_kind kind); /* "thing", "light", "colour", "detail" */

typedef struct ip_change_region {
    ip_change_kind kind;
    double certainty;   /* of kind, 0..1: 0 on the border to another */
    ip_box_i box;       /* pixels of the take's frame */
    double area;        /* pixels of the take's frame */
    double mean, peak;  /* CIEDE2000 of slightly blurred colours; peak: 98th percentile */
    double stops;       /* log2 of the take's luma over the reference's, median; after the match */
    double structure;   /* correlation of gradients, -1..1 */
    double importance;  /* mean times the square root of the share of the picture, in percent: what regions are ranked by */
} ip_change_region;

typedef struct ip_change_report {
    ip_reading reading;      /* not measurable: the frames do not lie over each other, or nothing is left that is neither clipped nor black */
    size_t frame[2];         /* compared: of the take, of the reference */
    /* the transform */
    double homography[9];    /* take to reference, pixels of the frames, row-major, the last 1 */
    double shift[2];         /* of the take's middle, pixels of the reference */
    double zoom, turn;       /* the reference's pixels for one of the take; degrees, there */
    double share;            /* of the take that was found again, 0..1 */
    double residual;         /* median of what flow finds beside the homography, pixels of the reference */
    double structure;        /* correlation of the local structure as the reference lies, -1..1 */
    double compared;         /* share of the take that was compared: found and not clipped, 0..1 */
    /* the whole, take against reference; 0 where the reading has no measurement */
    ip_reading global;
    double exposure;         /* stops */
    double red, blue;        /* R/G and B/G of the take over those of the reference: 1 is the same white balance */
    double contrast;         /* spread of log luma (10th to 90th percentile), ratio */
    double saturation;       /* spread of log R/G and log B/G, ratio */
    double match_before, match_after; /* median CIEDE2000 of what agrees, without the match and with it */
    ip_reading skin;         /* of the following two */
    double skin_shift;       /* distance in CIE 1976 u'v' of the take's skin from the reference's, after the white balance found above is taken off the take */
    double skin_stops;       /* take over reference, after exposure is taken off */
    ip_reading sharpness;
    double mtf50[2];         /* cycles a pixel, take and reference; see sharp.h */
    /* the regions, most important first; where more were found, the rest is counted only */
    int64_t found, regions;
    ip_change_region region[IP_CHANGE_REGIONS];
    /* the map; planes owned by the report */
    double scale;            /* pixels of the take's frame for one of the map, both ways */
    ip_plane_f difference;   /* dE (CIE 1976), 0 where nothing was compared */
    ip_plane_f looked;       /* 1 where compared, else 0 */
    ip_plane_f belongs;      /* to which region: 1 is the first, 0 none */
    ip_plane_f lies[2];      /* where in the reference's frame the map's pixel was looked for, its pixels: x, y */
    ip_grade grade;          /* the match: the reference's working code values to the take's */
    double level;            /* dE that the flattest part had to exceed here, at most 12 */
} ip_change_report;

/* Compares one frame of each. Both sources in one encoding (else IPOS_ERR_ARGUMENT; so is a frame that does not exist); sizes may differ. At up to 960
 * pixels wide: registered by ip_overlay_find, which does not follow props; colours matched by one global grade fitted to what agrees
 * (ip_overlay_match), so that exposure and white balance are no change of any place but figures of the whole; clipped samples say only that they are at
 * least so bright; then the least distance in L*a*b* to any neighbour within a pixel, against a level from the picture itself (median, median
 * deviation, steepness). With IP_CHANGE_CHOOSE, up to five frames of that source, evenly spread, are read once before, the chosen one again. Frames
 * are fetched in ascending order otherwise, one of each source. options may be NULL. The caller frees the report. */
ipos_status ip_change_report_measure(const ip_look_source *take, size_t take_frame, const ip_look_source *reference, size_t reference_frame,
    const ip_change_options *options, ip_change_report *out);
void ip_change_report_free(ip_change_report *report);

/* The figures without the planes; "regions" is a list of objects. NULL: out of memory. */
json_t *ip_change_report_json(const ip_change_report *report);

/* For people: the reference as it lies in the take, the take, and the differences as heat, side by side, each of the map's size with 4 pixels
 * between; boxes and ranks of the regions in colours of their kind (thing red, light yellow, colour blue, detail green). Display values 0..1 (sRGB).
 * take_image, reference_image: the frames compared, linear light, of their sources' sizes. Allocates out. IPOS_ERR_ARGUMENT where the take's size is
 * another, or where nothing was compared. */
ipos_status ip_change_report_picture(const ip_change_report *report, const ip_look_source *take, const ip_image3 *take_image, const ip_image3 *reference_image,
    ip_image3 *out);

#endif

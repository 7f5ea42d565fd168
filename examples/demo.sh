#!/usr/bin/env bash
# The main job on real footage, from nothing: install, build, ingest, train, make frames that were never shot, accept, publish.
#   examples/demo.sh [FOOTAGE] [--minutes M] [--project DIR] [--frames LIST]
# FOOTAGE: a movie, an image sequence ("shot.%04d.exr") or a folder of one; default: the clip in Debian's opencv-doc.
# Frames that exist are hidden and made again, so that the result can be measured against what the camera saw.
set -euo pipefail
cd "$(dirname "$0")/.."
footage= minutes=2 project=demo frames=
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2; shift ;;
    --project) project=$2; shift ;;
    --frames) frames=$2; shift ;;
    -h|--help) sed -n '2,5s/^# \?//p' "$0"; exit 0 ;;
    *) footage=$1 ;;
  esac
  shift
done
case $footage in ''|/*) ;; *) footage=$(realpath -s "$footage") ;; esac

if [ -z "$footage" ]; then
  INTERPOS_PACKAGES=opencv-doc ./setup.sh
  footage=/usr/share/doc/opencv-doc/examples/data/vtest.avi
  if [ ! -e "$footage" ]; then # slim images leave /usr/share/doc out when they install packages
    footage=$PWD/build/opencv-doc/vtest.avi
    [ -e "$footage" ] || (mkdir -p build/opencv-doc && cd build/opencv-doc && apt-get download -qq opencv-doc &&
      dpkg-deb --fsys-tarfile opencv-doc_*.deb | tar -xO --wildcards '*/data/vtest.avi' >vtest.avi)
  fi
else
  ./setup.sh
fi
interpos=build/examples/interpos/interpos

[ -f "$project/interpos.sqlite" ] || "$interpos" init "$project"
echo "== ingest: $footage"
rate=() encoding=(--encoding "${INTERPOS_ENCODING:-rec709}")
"$interpos" info "$footage" --json | grep -q '"rate": *\[' || rate=(--fps 24)
"$interpos" ingest "$project" "$footage" --clip demo "${rate[@]}" "${encoding[@]}" --owner "demo" --licence "own measurement" --training allowed
"$interpos" clips "$project"

echo "== train: $minutes minutes on this clip alone"
"$interpos" models "$project" --json | tr -d ' \n' | grep -q '"name":"demo"[^}]*"state":"ready"' ||
  "$interpos" train "$project" --for inbetween --model demo --clips demo --minutes "$minutes" --resume
"$interpos" card "$project" demo

if [ -z "$frames" ]; then # five frames, every second one, in the middle of what was held out of training
  held=$("$interpos" card "$project" demo --json | tr -d ' \n' | grep -o '"held_out":\[{[^}]*}' | head -n 1)
  first=$(grep -o '"first":-\?[0-9]*' <<<"$held" | cut -d: -f2)
  last=$(grep -o '"last":-\?[0-9]*' <<<"$held" | cut -d: -f2)
  middle=$(((first + last) / 2))
  from=$((middle - 4 > first ? middle - 4 : first + 1)) to=$((middle + 4 < last ? middle + 4 : last - 1))
  frames="$from-$((to > from ? to : from))x2"
fi

echo "== render: frames $frames are hidden and made again"
made=$("$interpos" render "$project" --operation inbetween --clip demo --frames "$frames" --model demo --json)
"$interpos" options "$project"
best=$(grep -o '"id": *"o[0-9]*"' <<<"$made" | head -n 1 | grep -o 'o[0-9]*')

echo "== accept $best, the one that predicts its known neighbours best, and publish it"
"$interpos" accept "$project" "$best" --by "demo" --note "first of the list"
"$interpos" publish "$project" "$best" "$project/published-$best"
"$interpos" verify "$project"

if [ -f "$footage" ] && [ -z "${frames//[0-9x-]/}" ]; then
  echo "== the frames made, beside what the camera saw (PSNR in dB)"
  for picture in "$project/published-$best"/*.png; do
    number=$(basename "$picture" .png | grep -o '[0-9]*$')
    score=$(ffmpeg -v info -i "$footage" -i "$picture" -frames:v 1 -lavfi \
      "[0]select=eq(n\\,$((10#$number))),setpts=0,format=gbrp[t];[1]setpts=0,format=gbrp[m];[m][t]psnr" -f null - 2>&1 | grep -o 'average:[0-9.]*') || true
    echo "frame $((10#$number))  ${score#average:}"
  done
fi
cat <<END

pictures:   $project/published-$best (full size), $project/options/*/sheet.png (contact sheets: neighbours, made, evidence)
what next:  $interpos options $project       what was offered, with scores
            $interpos card $project demo     what the model learned from, and how it scored on held-out shots
            $interpos --help ; examples/demo.sh YOUR_FOOTAGE
END

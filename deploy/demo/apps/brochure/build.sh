# Renders every page in pages/ with template.html into dist/. A page's first line is its title.
set -eu
mkdir -p dist
for page in pages/*.html; do
  title=$(head -n 1 "$page")
  {
    sed -e "s/@TITLE@/$title/" -e '/@CONTENT@/,$d' template.html
    tail -n +2 "$page"
    sed -e '1,/@CONTENT@/d' -e "s/@COMMIT@/$WINDLASS_COMMIT/" template.html
  } > "dist/$(basename "$page")"
  echo "rendered $(basename "$page"): $title"
done

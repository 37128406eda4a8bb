# The rubric of docs/use-cases/review.md. Runs in the workspace, and writes one line for each criterion to report.txt.
judge() {
  name=$1
  shift
  if "$@" > "/tmp/$name.log" 2>&1; then echo "pass $name"; else echo "fail $name"; fi
}

prints() {
  test "$(node -p "require('./')($1, { space: 2 })")" = "$2"
}

{
  judge tests node_modules/.bin/tape test/*.js
  judge empty-array prints '[]' '[]'
  judge empty-object prints '{}' '{}'
} | tee report.txt

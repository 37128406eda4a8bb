#!/bin/sh
# Says what is wrong and fails, or says that all is well.
check() {
  if [ "$2" != "$3" ]; then
    echo "FAIL $1: expected \"$3\", got \"$2\""
    exit 1
  fi
  echo "ok $1"
}

check "a name" "$(sh greet.sh Ada)" "Hello, Ada!"
check "no name" "$(sh greet.sh)" "Hello, you!"

#!/bin/sh
# Builds the component pd_controller beside this file, as build/pd_controller.
#
# Floating point stays what IEEE 754 says: a fused multiply-add or
# -ffast-math would round otherwise than the original does.
set -eu
cd "$(dirname "$0")"
mkdir -p build
"${CXX:-g++}" -std=c++17 -O2 -ffp-contract=off -Wall -Wextra ${CXXFLAGS:-} \
  harness.cpp component.cpp -o build/pd_controller

#!/bin/bash
# Writes its event back.
run() { printf %s "$1"; }

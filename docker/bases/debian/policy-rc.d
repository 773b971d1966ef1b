#!/bin/sh
# No service starts while a package is installed.
exit 101

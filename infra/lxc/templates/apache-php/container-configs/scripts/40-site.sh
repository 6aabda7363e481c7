#!/bin/sh
set -eu
# Apache's own page would be found before index.php.
if [ -e /var/www/html/index.html ] && grep -qi 'apache2' /var/www/html/index.html; then rm -f /var/www/html/index.html; fi
[ -e /var/www/html/index.php ] || printf '<?php echo "It works, PHP ", PHP_VERSION, "\\n";\n' >/var/www/html/index.php

#!/bin/sh
set -eu
[ -e /var/www/app/index.php ] || printf '<?php echo "It works, PHP ", PHP_VERSION, "\\n";\n' >/var/www/app/index.php
rm -f /etc/nginx/sites-enabled/default

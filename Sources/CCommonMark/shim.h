// GitHub's CommonMark: the renderer that made the Markdown look as its authors saw it.
#pragma once

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

//! Shingle: pulls container images by file, not by layer.

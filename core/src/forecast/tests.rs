//! What must hold of any forecast.

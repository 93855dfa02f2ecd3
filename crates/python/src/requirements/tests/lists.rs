//! Lists of real projects, and what tools write.

//! Vectors of what holds a key or a verifier (rule 8).

/// A vector that is as large as it needs to be from the start. What moves when a vector grows or closes a gap stays
/// behind in memory that nobody wipes (rule 8), so whatever holds a key or a verifier is gathered anew instead.
pub(super) fn gathered<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut all = Vec::with_capacity(items.size_hint().1.unwrap_or_default());
    all.extend(items);
    all
}

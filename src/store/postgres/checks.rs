//! The checks that statements contain, what each says when it does not hold, and what the administrator does then.
//!
//! A check that does not hold raises an error with its words: the server writes them into its log, and the store recognises
//! them in the answer. So the check and its words stand side by side, below the statements that contain the check and the
//! failures that explain it.

/// An error on a replica, which would answer from the past. The server evaluates it once in a statement, even if there are no
/// rows.
pub(super) const PRIMARY: &str =
    "(SELECT CASE WHEN pg_is_in_recovery() THEN 'this server is a replica' ELSE '1' END)::integer = 1";

/// An error where a commit may be acknowledged before it is durable: on this server, and on the standbys that it is to wait
/// for.
pub(super) const DURABLE: &str = "(SELECT CASE WHEN current_setting('synchronous_commit') = 'off' \
                                  THEN 'synchronous_commit is off' WHEN current_setting('synchronous_commit') = 'local' \
                                  AND current_setting('synchronous_standby_names') <> '' \
                                  THEN 'synchronous_commit is local' ELSE '1' END)::integer = 1";

/// The same check for a session that does not see whether the server stops waiting for standbys.
pub(super) const DURABLE_UNSEEN: &str = "(SELECT CASE WHEN current_setting('synchronous_commit') = 'off' \
                                         THEN 'synchronous_commit is off' \
                                         WHEN current_setting('synchronous_standby_names') <> '' \
                                         THEN 'synchronous_standby_names is set' ELSE '1' END)::integer = 1";

/// The words of [`PRIMARY`].
pub(super) const NOT_PRIMARY: &str = "this server is a replica";
/// The words of [`DURABLE`] and [`DURABLE_UNSEEN`], each with what to do.
pub(super) const CARELESS: [(&str, &str); 3] = [
    ("synchronous_commit is off", ASYNCHRONOUS),
    ("synchronous_commit is local", LOCAL),
    ("synchronous_standby_names is set", UNSEEN),
];
/// The words of the statement that numbers the change feed, when there are no places left for one more batch of commits.
pub(super) const NO_PLACES: &str = "the change feed has no places left";

// What to do, when the store is opened and when the server becomes so later.
pub(super) const REPLICA: &str = "the server is a replica: connect to the primary";
pub(super) const READ_ONLY: &str =
    "transactions are read-only there: look at default_transaction_read_only of server, database and role";
pub(super) const ASYNCHRONOUS: &str =
    "synchronous_commit is off there, so that what it acknowledges may be lost: turn it on for the role";
pub(super) const LOCAL: &str = "synchronous_commit is local there, so that what it acknowledges may be missing on the \
                                standbys that synchronous_standby_names asks for: set it to on for the role";
pub(super) const UNSEEN: &str = "synchronous_standby_names is set there, and through a pool of your own it is not seen when \
                                 the server stops waiting for a standby: open the store with `connect_with` or `connect_tls`";

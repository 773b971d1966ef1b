//! What exactly failed, beside the closed [`Reason`](super::Reason): set where the probe knows it by a code, a state or a type, so that nobody
//! ever has to tell it from the text of a message. `causes/` turns it into a name.

use super::net::Spoken;
use std::net::SocketAddr;

/// What exactly failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The resolver says that there is no such name.
    NameUnknown,
    /// The resolver did not answer, or could not.
    ResolverSilent,
    /// Nothing listens at this address.
    NothingListens(SocketAddr),
    /// No way leads to this address, or nobody on its network has it.
    NoRoute,
    /// The address did not take the connection, and did not refuse it either.
    ConnectTimeout,
    /// A connection was made, and then nothing came.
    NoAnswer,
    /// The server itself says that the answer takes too long: a statement's deadline, a lock.
    TooSlow,
    /// Something else answers than the URL says.
    Speaks(Spoken),
    /// It is the right service, with TLS where the URL says none.
    TlsUnexpected,
    /// It is a service without TLS where the URL or the settings want it.
    TlsMissing,
    /// A certificate is past its end, the server's own or one above it.
    CertificateExpired,
    /// A certificate is before its beginning.
    CertificateNotYetValid,
    /// A certificate is for another name.
    CertificateWrongHost,
    /// Nobody that is trusted has signed the certificate.
    CertificateUnknownIssuer,
    /// A certificate ends soon.
    CertificateNearExpiry,
    /// User, password, key or token were refused, or are wanted and were not given.
    LoginRefused,
    /// The login works, and a right is missing.
    PermissionMissing,
    /// The database, or the number of one, does not exist.
    DatabaseMissing,
    /// A schema, table or column does not exist.
    TableMissing,
    /// The migrations have not come as far as they should, or one broke off.
    MigrationBehind,
    /// The server takes no more connections.
    TooManyConnections,
    /// The server's memory is used up.
    OutOfMemory,
    /// The server reads its data and does not serve yet.
    Loading,
    /// The server refuses writes.
    ReadOnly,
    /// What the server copies from is gone.
    ReplicationBroken,
    /// The server says that it is starting, stopping or recovering.
    NotReady,
    /// The status of an answer that is not as expected.
    Status(u16),
    /// A proxy answers, and what is behind it does not.
    UpstreamDown,
    /// Fewer requests are wanted.
    RateLimited,
    /// The service's own page names parts that do not work.
    PartsUnhealthy,
    /// The service refused its last configuration and runs on the one before.
    ConfigurationRefused,
    /// There is no backup.
    BackupMissing,
    /// The newest backup is too old.
    BackupStale,
    /// The newest backup is much smaller than those before it.
    BackupShrunken,
    /// The newest backup cannot be read to its end.
    BackupCorrupt,
}

impl Detail {
    /// What the status of an HTTP answer says by itself.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 | 407 => Self::LoginRefused,
            403 => Self::PermissionMissing,
            429 => Self::RateLimited,
            502 | 504 => Self::UpstreamDown,
            code => Self::Status(code),
        }
    }
}

//! Where dpkg keeps its database.

/// The directory of the database.
pub const DATABASE: &str = "/var/lib/dpkg";
/// What is installed.
pub const STATUS: &[u8] = b"/var/lib/dpkg/status";
/// That, as it was before it was last written.
pub const STATUS_OLD: &[u8] = b"/var/lib/dpkg/status-old";
/// What archives offer, as dselect wants to know it; dpkg only reads it.
pub const AVAILABLE: &[u8] = b"/var/lib/dpkg/available";
/// dpkg's journal: what changed since `status` was written.
pub const UPDATES: &[u8] = b"/var/lib/dpkg/updates";
/// Control files of packages.
pub const INFO: &[u8] = b"/var/lib/dpkg/info";
/// The layout of that directory.
pub const INFO_FORMAT: &[u8] = b"/var/lib/dpkg/info/format";
/// Who is interested in which trigger.
pub const TRIGGERS: &[u8] = b"/var/lib/dpkg/triggers";
/// Who is interested in which paths.
pub const FILE_TRIGGERS: &[u8] = b"/var/lib/dpkg/triggers/File";
/// Triggers that were activated and are not in `status` yet.
pub const UNINCORPORATED: &[u8] = b"/var/lib/dpkg/triggers/Unincorp";
/// Is locked by whoever writes there.
pub const TRIGGERS_LOCK: &[u8] = b"/var/lib/dpkg/triggers/Lock";
/// Is locked by whoever writes the database.
pub const LOCK: &[u8] = b"/var/lib/dpkg/lock";
/// Is locked by whoever calls dpkg.
pub const FRONTEND_LOCK: &[u8] = b"/var/lib/dpkg/lock-frontend";
/// Files that are elsewhere than packages say.
pub const DIVERSIONS: &[u8] = b"/var/lib/dpkg/diversions";
/// Files with other owners and modes than packages say.
pub const OVERRIDES: &[u8] = b"/var/lib/dpkg/statoverride";
/// Architectures beside the image's own.
pub const ARCHITECTURES: &[u8] = b"/var/lib/dpkg/arch";
/// Where the scripts of a package are before it is unpacked.
pub const CONTROL: &[u8] = b"/var/lib/dpkg/tmp.ci";
/// dpkg's configuration.
pub const CONFIGURATION: &[u8] = b"/etc/dpkg/dpkg.cfg";
/// Further files of that.
pub const CONFIGURATION_PARTS: &[u8] = b"/etc/dpkg/dpkg.cfg.d";

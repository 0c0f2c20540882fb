//! Numbers, fields, packed values.

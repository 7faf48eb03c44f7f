//! relayer

//! Servers of others: nginx, OpenSSL's and Python's. Where one is missing, that is said.

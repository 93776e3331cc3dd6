"""WeChat official accounts (公众号): their callbacks in, answers and later messages out."""

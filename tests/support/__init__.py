"""What tests share: tables, builders, clocks. No test stands here."""

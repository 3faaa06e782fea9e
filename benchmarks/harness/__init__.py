"""What the measures share: servers, processes of ours, made-up forms, loads, clocks and samples."""

"""What every story stands on: context, options, report, stored frames, whose memory it is."""

"""The topics a meeting can be tagged with: Missouri's program components, strands and counselor standards."""

from __future__ import annotations

TOPICS = {
    "curriculum": "School Counseling Curriculum",
    "planning": "Individual Student Planning",
    "responsive": "Responsive Services",
    "support": "System Support",
    "social_emotional": "Social/emotional development",
    "academic": "Academic development",
    "career": "Career development",
    "student_development": "Student Development",
    "implementation": "Program Implementation",
    "relationships": "Professional Relationships",
    "leadership": "Leadership and Advocacy",
    "ethics": "Professional and Ethical Conduct",
}
